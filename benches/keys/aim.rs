//! The cheapest keys to a place: where the cursor is, moves with counts, grid aim, the doubtful
//! place.

use termask::core::geometry::ImagePoint;
use termask::core::mask::Mask;
use termask::ui::mode::Mode;
use termask::ui::state::State;

/// Keys that bring the cursor onto the target and act there by the key `act`; to `exact` pixel by
/// pixel where nothing coarser hits the target.
pub fn cheapest(state: &State, target: &Mask, exact: ImagePoint, act: &str) -> Vec<String> {
    let open = state.shown().expect("open");
    let then = |mut keys: Vec<String>| {
        keys.push(act.into());
        keys
    };
    if target.contains(open.cursor) {
        return then(Vec::new());
    }
    let draft = &open.document().draft;
    let soft = draft.proposal.as_ref().and_then(|p| p.soft.as_ref());
    let doubt = soft.and_then(|s| s.most_doubtful(target.size(), &draft.prompt));
    let doubt = doubt.filter(|at| target.contains(*at));
    let ways = [
        doubt.map(|_| then(vec![";".into()])),
        by_moves(state, target).map(then),
        by_grid(state, target, act),
    ];
    let cheapest = ways.into_iter().flatten().min_by_key(Vec::len);
    cheapest.unwrap_or_else(|| then(pixel_by_pixel(open.cursor, exact)))
}

/// Counts and moves by cells that land on the target.
fn by_moves(state: &State, target: &Mask) -> Option<Vec<String>> {
    let open = state.shown().expect("open");
    let view = open.view;
    let across = (view.cell.width / view.scale_x()).round().max(1.0) as i64;
    let down = (view.cell.height / view.scale_y()).round().max(1.0) as i64;
    let mut best: Option<Vec<String>> = None;
    for dy in -36..=36_i64 {
        for dx in -99..=99_i64 {
            let x = i64::from(open.cursor.x) + dx * across;
            let y = i64::from(open.cursor.y) + dy * down;
            if x < 0 || y < 0 || !target.contains(ImagePoint::new(x as u32, y as u32)) {
                continue;
            }
            let mut keys = line(dx, ["h", "l"], ["H", "L"]);
            keys.extend(line(dy, ["k", "j"], ["K", "J"]));
            if best.as_ref().is_none_or(|b| keys.len() < b.len()) {
                best = Some(keys);
            }
        }
    }
    best
}

/// The parts that lead to a region whose middle lies on the target, after `g` where the grid is not
/// there already. A capital acts at once, where that is what it does.
fn by_grid(state: &State, target: &Mask, act: &str) -> Option<Vec<String>> {
    const NAMES: [&str; 9] = ["q", "w", "e", "a", "s", "d", "z", "x", "c"];
    let open = state.shown().expect("open");
    let at_once = if open.corner.is_some() { "b" } else { "i" };
    let whole = open.view.source;
    let start = match state.mode {
        Mode::Grid { .. } => Vec::new(),
        // It begins in the middle of the picture.
        _ if target.contains(whole.centre()) => return Some(vec!["g".into(), act.into()]),
        _ => vec!["g".to_string()],
    };
    let mut regions = vec![(whole, start)];
    for _ in 0..4 {
        let mut next = Vec::new();
        for (region, keys) in regions {
            for (part, name) in (0..9).zip(NAMES) {
                let part = region.ninth(part);
                let mut keys = keys.clone();
                if !target.contains(part.centre()) {
                    keys.push(name.into());
                    next.push((part, keys));
                    continue;
                }
                if act == at_once {
                    keys.push(name.to_uppercase());
                } else {
                    keys.extend([name.to_string(), act.to_string()]);
                }
                return Some(keys);
            }
        }
        regions = next;
    }
    None
}

fn pixel_by_pixel(from: ImagePoint, to: ImagePoint) -> Vec<String> {
    let (dx, dy) = (
        i64::from(to.x) - i64::from(from.x),
        i64::from(to.y) - i64::from(from.y),
    );
    let mut keys = Vec::new();
    for (way, names) in [(dx, ["A-h", "A-l"]), (dy, ["A-k", "A-j"])] {
        if way != 0 {
            keys.extend(way.abs().to_string().chars().map(String::from));
            keys.push(names[usize::from(way > 0)].into());
        }
    }
    keys
}

/// The cheapest keys along one axis: single steps, eights with single steps, or a count.
fn line(way: i64, single: [&str; 2], eight: [&str; 2]) -> Vec<String> {
    let side = usize::from(way > 0);
    let length = way.unsigned_abs();
    let steps = |n: u64, key: &str| vec![key.to_string(); n as usize];
    let mut eights = steps(length / 8, eight[side]);
    eights.extend(steps(length % 8, single[side]));
    let mut counted: Vec<String> = length.to_string().chars().map(String::from).collect();
    counted.push(single[side].into());
    if eights.len() <= counted.len() {
        eights
    } else {
        counted
    }
}
