//! Keys that people bring along from other tools.

/// Keys that differ from the table, by a command's name.
#[derive(Debug)]
pub struct Preset {
    pub name: &'static str,
    pub keys: &'static [(&'static str, &'static str)],
}

/// The presets; where a key of another tool is taken, its former command keeps another key.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "termask",
        keys: &[],
    },
    Preset {
        name: "labelme",
        // next and previous image are D and A there, undo is Ctrl+Z; what stopped the program
        // moves to Alt.
        keys: &[
            ("d", "next"),
            ("a", "previous"),
            ("C-z", "undo"),
            ("C-y", "redo"),
            ("A-z", "suspend"),
        ],
    },
    Preset {
        name: "cvat",
        keys: &[
            ("f", "next"),
            ("F", "hints"),
            ("A-f", "fill-holes"),
            ("d", "previous"),
            ("n", "accept"),
            ("h", "overlay"),
            ("C-z", "undo"),
            ("C-y", "redo"),
            ("A-z", "suspend"),
        ],
    },
    Preset {
        name: "vim",
        keys: &[
            ("x", "delete"),
            ("E", "extreme"),
            ("A-e", "snap-outline"),
            ("C-f", "next"),
            ("C-b", "previous"),
            ("C-n", "next-object"),
            ("C-p", "previous-object"),
        ],
    },
];
