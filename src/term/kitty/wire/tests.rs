//! What is sent, byte by byte.

use super::*;

const CANVAS: CellRect = CellRect {
    col: 0,
    row: 1,
    cols: 80,
    rows: 20,
};

fn wanted(row: u16) -> BTreeMap<Name, Spot> {
    let spot = Spot {
        row,
        col: 4,
        keys: "c=3,r=2,".into(),
    };
    BTreeMap::from([((5, 1), spot)])
}

#[test]
fn only_what_has_moved_is_placed_again_and_what_is_not_wanted_goes() {
    let mut wire = Wire::new(Way::Edits);
    let first = wire.settle(wanted(7), CANVAS).expect("placed");
    assert_eq!(first, b"\x1b[8;5H\x1b_Ga=p,i=5,p=1,c=3,r=2,q=2\x1b\\");
    assert!(wire.settle(wanted(7), CANVAS).is_none());
    assert!(wire.settle(wanted(8), CANVAS).is_some());
    let last = wire.settle(BTreeMap::new(), CANVAS).expect("deleted");
    assert_eq!(last, b"\x1b_Ga=d,d=i,i=5,q=2\x1b\\");
}

#[test]
fn inside_tmux_all_is_placed_relative_to_one_character() {
    let mut wire = Wire::new(Way::Relative(3));
    let first = wire.settle(wanted(7), CANVAS).expect("placed");
    let text = String::from_utf8_lossy(&first).into_owned();
    assert!(text.contains("\x1b[2;1H\x1b[38;5;203;58;5;1m\u{10eeee}"));
    let placed = "\x1bPtmux;\x1b\x1b_Ga=p,i=1305,p=1,P=203,Q=1,H=4,V=6,c=3,r=2,q=2\x1b\x1b\\\x1b\\";
    assert!(text.ends_with(placed), "{text:?}");
}

#[test]
fn what_is_placed_is_placed_again_where_it_is_and_what_was_sent_is_asked_for() {
    let mut wire = Wire::new(Way::Relative(3));
    assert!(wire.prove().is_none());
    wire.begin().expect("begun");
    let sent = wire.transmit(5, &[7; 9000]);
    let mut two = wanted(7);
    two.insert((6, 1), two[&(5, 1)].clone());
    wire.settle(two, CANVAS);
    let proof = wire.prove().expect("two are placed");
    let text = String::from_utf8(proof).expect("ASCII");
    let at = "P=203,Q=1,H=4,V=6,c=3,r=2";
    let [first, second] = [1305, 1306]
        .map(|id| format!("\x1bPtmux;\x1b\x1b_Ga=p,i={id},p=1,{at},q=1\x1b\x1b\\\x1b\\"));
    let (placed, count) = text.split_at(first.len() + second.len());
    assert_eq!(placed, first + &second);
    assert!(count.contains(",r=3,c=1,q=0"), "{count:?}");
    let sent = String::from_utf8(sent).expect("ASCII");
    assert_eq!(
        sent.matches("\x1bPtmux;").count(),
        1,
        "all of it or nothing"
    );
    assert_eq!(sent.matches("a=f,f=24,s=1,v=1,i=139").count(), 1);
    assert!(Wire::new(Way::Edits).begin().is_none());
}

#[test]
fn the_first_and_the_last_piece_of_a_picture_are_counted() {
    let mut wire = Wire::new(Way::Grid(3));
    wire.begin().expect("begun");
    let sent = wire.spread(0, (80, 20), &vec![7; 3 * PIECE]);
    let text = String::from_utf8(sent).expect("ASCII");
    let pieces: Vec<&str> = text.split_inclusive("\\\x1b\\").collect();
    let counted = pieces.iter().map(|p| p.contains("a=f,f=24,s=1,v=1,"));
    let (first, last) = (0, pieces.len() - 1);
    assert!(last > 2 && pieces.iter().all(|p| p.len() < 1 << 20));
    assert!(
        counted
            .enumerate()
            .all(|(i, is)| is == (i == first || i == last))
    );
}

#[test]
fn leaving_a_pane_deletes_its_pictures_and_no_others() {
    let all = String::from_utf8(farewell(Way::Relative(3))).expect("ASCII");
    assert!(all.starts_with("\x1bPtmux;\x1b\x1b_Ga=d,d=I,i=1301,q=2\x1b\x1b\\"));
    assert!(all.contains("i=1369,"));
    assert!(all.contains("i=203,") && !all.contains("d=A") && !all.contains("i=14"));
    assert_eq!(farewell(Way::Edits), b"\x1b_Ga=d,d=A,q=2\x1b\\");
}

#[test]
fn every_chunk_of_an_edit_says_where_it_goes() {
    let wire = Wire::new(Way::Edits);
    let command = wire.edit(20, (0, 8), (640, 4), &[7; 5000]);
    let text = String::from_utf8(command).expect("ASCII");
    let keys = "a=f,f=100,i=20,r=1,x=0,y=8,s=640,v=4,X=1,q=2";
    assert_eq!(text.matches(keys).count(), 2);
    assert!(text.contains(",m=1;") && text.contains(",m=0;"));
}
