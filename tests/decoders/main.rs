//! What the painters write, read back as a terminal does, shows the scene as the program itself
//! draws it, whatever happened before.

mod blocks;
mod cells;
#[path = "../drawing/mod.rs"]
mod drawing;
mod glass;
mod iterm;
mod kitty;
mod player;
mod sixel;
mod stream;

use glass::{Exactness, Weave};
use player::{Change, Player};
use proptest::prelude::*;
use termask::core::geometry::{CellSize, ImagePoint, ImageRect};
use termask::core::prompt::{Click, Side};
use termask::core::scene::Style;
use termask::term::Way;
use termask::term::iterm::Iterm;
use termask::term::kitty::{Grid, Kitty};
use termask::term::pace::Speed;
use termask::term::painter::Painter;
use termask::term::sixel::Sixel;

const COLS: u16 = 30;
const ROWS: u16 = 14;
const WHOLE: CellSize = CellSize {
    width: 8.0,
    height: 16.0,
};
/// As in an editor on a screen with a scale of 125 %.
const BROKEN: CellSize = CellSize {
    width: 7.2,
    height: 14.4,
};

const KITTY: Exactness = Exactness {
    name: "kitty",
    // A frame around the whole picture, a pixel beside.
    share: 0.016,
    reach: 1,
    tolerance: 40,
    weave: Weave::None,
};
const SIXEL: Exactness = Exactness {
    name: "sixel",
    share: 0.003,
    reach: 1,
    tolerance: 48,
    weave: Weave::Thirds,
};
const ITERM: Exactness = Exactness {
    name: "iterm",
    share: 0.0,
    reach: 0,
    tolerance: 0,
    weave: Weave::None,
};
const ITERM_BROKEN: Exactness = Exactness {
    name: "iterm in broken cells",
    ..ITERM
};
const ITERM_SLOW: Exactness = Exactness {
    name: "iterm in few colours",
    tolerance: SIXEL.tolerance,
    ..ITERM
};

fn play_all(changes: &[Change]) {
    for way in [Way::Edits, Way::Direct, Way::Relative(7)] {
        let how = Exactness {
            name: match way {
                Way::Edits => "kitty",
                Way::Direct => "kitty without edits",
                _ => "kitty in tmux",
            },
            ..KITTY
        };
        Player::new(Box::new(Kitty::new(way)), WHOLE, how).play(changes);
    }
    for (way, name) in [
        (Way::Grid(7), "kitty in characters"),
        (Way::Tiles(7), "tiles"),
    ] {
        let how = Exactness { name, ..SIXEL };
        Player::new(Box::new(Grid::new(way)), WHOLE, how).play(changes);
    }
    Player::new(Box::<Sixel>::default(), WHOLE, SIXEL).play(changes);
    let mut slow = Sixel::default();
    slow.pace(Speed::Slow);
    Player::new(Box::new(slow), WHOLE, SIXEL).play(changes);
    Player::new(Box::new(Iterm::new(Way::Direct)), WHOLE, ITERM).play(changes);
    Player::new(Box::new(Iterm::new(Way::Direct)), BROKEN, ITERM_BROKEN).play(changes);
    let mut slow = Iterm::new(Way::Direct);
    slow.pace(Speed::Slow);
    Player::new(Box::new(slow), WHOLE, ITERM_SLOW).play(changes);
}

#[test]
fn a_person_s_way_through_an_image_shows_as_it_is_drawn() {
    let at = ImagePoint::new;
    let rect = ImageRect::new;
    let side = Side::Inside;
    let (small, large) = (rect(30, 20, 70, 60), rect(20, 30, 110, 90));
    play_all(&[
        Change::Cursor(at(40, 30)),
        Change::Box(Some(small)),
        Change::Cursor(at(120, 100)),
        Change::Mask(Some((small, rect(60, 40, 90, 70), Style::Strong))),
        Change::Click(Click {
            at: at(50, 50),
            side,
        }),
        Change::Mask(Some((small, large, Style::Strong))),
        Change::Box(None),
        Change::Mask(Some((small, large, Style::Fill))),
        Change::Zoom(2.0, at(60, 50)),
        Change::Pan(15, -10),
        Change::Cursor(at(75, 50)),
        Change::Window,
        Change::Zoom(0.1, at(60, 50)),
        Change::Canvas(20, 8),
        Change::Mask(Some((small, large, Style::Outline))),
        Change::Image(1),
        Change::Cursor(at(20, 20)),
        Change::Image(2),
        Change::Mask(None),
        Change::Canvas(COLS, ROWS - 3),
        Change::Image(0),
    ]);
}

fn point() -> impl Strategy<Value = ImagePoint> {
    (0..200_u32, 0..150_u32).prop_map(|(x, y)| ImagePoint::new(x, y))
}

fn rect() -> impl Strategy<Value = ImageRect> {
    (point(), point()).prop_map(|(a, b)| ImageRect::from_corners(a, b))
}

fn change() -> impl Strategy<Value = Change> {
    let style = prop_oneof![
        Just(Style::Fill),
        Just(Style::Strong),
        Just(Style::Outline),
        Just(Style::Hint)
    ];
    let side = prop_oneof![Just(Side::Inside), Just(Side::Outside)];
    prop_oneof![
        3 => point().prop_map(Change::Cursor),
        2 => prop::option::of(rect()).prop_map(Change::Box),
        3 => prop::option::of((rect(), rect(), style)).prop_map(Change::Mask),
        1 => (point(), side).prop_map(|(at, side)| Change::Click(Click { at, side })),
        2 => (0.3..4.0, point()).prop_map(|(factor, about)| Change::Zoom(factor, about)),
        1 => (-40..40_i64, -40..40_i64).prop_map(|(dx, dy)| Change::Pan(dx, dy)),
        1 => (0..9_u64).prop_map(Change::Image),
        1 => Just(Change::Window),
        1 => (6..=COLS, 3..=ROWS - 3).prop_map(|(cols, rows)| Change::Canvas(cols, rows)),
    ]
}

/// So many as `PROPTEST_CASES` says, where it is set.
fn cases() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig {
        cases: std::env::var_os("PROPTEST_CASES").map_or(64, |_| usual.cases),
        failure_persistence: None,
        ..usual
    }
}

proptest! {
    #![proptest_config(cases())]
    #[test]
    fn any_changes_show_as_they_are_drawn(changes in prop::collection::vec(change(), 1..9)) {
        play_all(&changes);
    }
}

proptest! {
    #![proptest_config(cases())]
    #[test]
    fn whatever_tmux_drops_is_painted_anew(
        changes in prop::collection::vec(change(), 1..5),
        dropped in prop::collection::vec(prop::bool::ANY, 1..9),
    ) {
        let grid = Exactness { name: "kitty in characters", ..SIXEL };
        let painter = Box::new(Grid::new(Way::Grid(7)));
        Player::new(painter, WHOLE, grid).play_with_losses(&changes, &dropped);
        let relative = Exactness { name: "kitty in tmux", ..KITTY };
        let painter = Box::new(Kitty::new(Way::Relative(7)));
        Player::new(painter, WHOLE, relative).play_with_losses(&changes, &dropped);
    }
}

/// Here the pixels of its lines are whole numbers but for the last digit.
#[test]
fn a_crosshair_has_no_gap() {
    let about = ImagePoint::new(106, 32);
    play_all(&[Change::Zoom(3.182_068_569_731_034_5, about)]);
}
