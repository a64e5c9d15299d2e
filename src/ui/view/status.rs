//! The title row and the status rows.

use std::path::Path;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{DIM, STRONG};
use crate::core::document::Verdict;
use crate::core::geometry::Size;
use crate::core::printable::printable_text;
use crate::store::sidecar::Access;
use crate::ui::mode::{Brush, Marking, Mode, Notice, Overlay};
use crate::ui::review::Sight;
use crate::ui::state::{Open, State};
use crate::ui::theme::Theme;

/// A file's name without bytes that a terminal would obey.
pub fn printable(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    let clean = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    name.to_string_lossy().chars().map(clean).collect()
}

pub fn title(state: &State, frame: &mut Frame, area: Rect) {
    let more = if state.walked { "" } else { "+" };
    let place = format!(" {}/{}{more} ", state.at + 1, state.images.len());
    let name = state.path().map(printable).unwrap_or_default();
    let mut spans = vec![Span::styled(place, DIM), Span::styled(name, STRONG)];
    if let Some(look) = state.first_look() {
        let Size { width, height } = look.whole;
        spans.push(Span::styled(
            format!("  {width}x{height}  reading all of it …"),
            DIM,
        ));
    }
    if let Some(open) = state.shown() {
        let size = open.decoded.image.size();
        spans.push(Span::styled(
            format!(
                "  {}x{}  {:.0} %",
                size.width,
                size.height,
                100.0 * open.view.scale()
            ),
            DIM,
        ));
        if open.document().finished {
            spans.push(Span::styled("  ✓ finished", state.theme.good()));
        }
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
    let right = match state.shown() {
        Some(open) => saved(open, state.theme),
        None => Span::raw(""),
    };
    let help = Span::styled("  ? help ", DIM);
    let line = Line::from(vec![right, help]).right_aligned();
    if area.width >= 60 {
        frame.render_widget(Paragraph::new(line), area);
    }
}

fn saved(open: &Open, theme: Theme) -> Span<'static> {
    if matches!(open.access, Access::ReadOnly { .. }) {
        return Span::styled("read-only", theme.warning());
    }
    if open.unsaved.is_some() {
        return Span::styled("NOT SAVED", theme.bad());
    }
    if open.is_saved() {
        Span::styled("saved", DIM)
    } else {
        Span::styled("saving", DIM)
    }
}

pub fn status(state: &State, frame: &mut Frame, area: Rect) {
    if area.height == 0 {
        return;
    }
    let first = Rect { height: 1, ..area };
    let line = line(state);
    let room = usize::from(area.width).saturating_sub(line.width() + 2);
    frame.render_widget(Paragraph::new(line), first);
    let mut sitting = state.sitting.told().into_iter();
    if let Some(told) = sitting.find(|told| told.len() <= room) {
        let told = Line::styled(told, DIM).right_aligned();
        frame.render_widget(Paragraph::new(told), first);
    }
    if area.height > 1 {
        let second = Rect {
            y: area.y + 1,
            height: 1,
            ..area
        };
        frame.render_widget(Paragraph::new(told(state)), second);
    }
}

/// Class, what is in the making, objects.
fn line(state: &State) -> Line<'static> {
    let class = match selected_class(state) {
        Some(class) => class,
        None => state.draft_class().to_string(),
    };
    let mut spans = vec![
        Span::raw(" "),
        Span::styled("■", state.theme.swatch(state.colour(&class))),
        Span::raw(" "),
        Span::styled(class, STRONG),
    ];
    let Some(open) = state.shown() else {
        return Line::from(spans);
    };
    let document = open.document();
    let draft = &document.draft;
    spans.push(Span::styled(
        match document.objects.len() {
            1 => "  1 object".to_string(),
            n => format!("  {n} objects"),
        },
        DIM,
    ));
    if let Some(at) = open.selected {
        spans.push(Span::raw(format!(
            "  selected {}/{}",
            at + 1,
            document.objects.len()
        )));
        if let Some(object) = document.objects.get(at) {
            if !is_blind(state) {
                spans.push(verdict(object.verdict, state.theme));
            }
            if let Some(confidence) = object.confidence {
                spans.push(Span::styled(format!(" {confidence:.2}"), DIM));
            }
            if !object.comment.is_empty() && !is_blind(state) {
                let comment = printable_text(&object.comment);
                spans.push(Span::raw(format!("  “{comment}”")));
            }
        }
    }
    if let Some(mask) = draft.mask() {
        spans.push(Span::raw(format!("  draft {} px", mask.area())));
    }
    if let Some(proposal) = &draft.proposal {
        let sure = format!("  {:.0} %", 100.0 * proposal.confidence);
        spans.push(Span::raw(sure));
        spans.push(Span::styled(format!(" {}", proposal.origin.engine), DIM));
    }
    if let Some(ms) = open.milliseconds {
        spans.push(Span::styled(format!(" {ms:.0} ms"), DIM));
    }
    if !draft.answered && draft.prompt.is_answerable() && !open.unanswered {
        spans.push(Span::styled("  …", STRONG));
    }
    Line::from(spans)
}

/// Whether the verdict given before is not to be seen.
fn is_blind(state: &State) -> bool {
    let item = state.review.item();
    state.mode == Mode::Review && item.is_some_and(|i| i.sight == Sight::Again)
}

fn selected_class(state: &State) -> Option<String> {
    state.selected().map(|o| o.class.to_string())
}

fn verdict(verdict: Verdict, theme: Theme) -> Span<'static> {
    match verdict {
        Verdict::Unseen => Span::styled(" · unseen", DIM),
        Verdict::Accepted => Span::styled(" ✓ accepted", theme.good()),
        Verdict::Rejected => Span::styled(" ✗ rejected", theme.bad()),
        Verdict::Flagged => Span::styled(" ⚑ flagged", theme.warning()),
    }
}

/// The notice, else what the keys do just now.
fn told(state: &State) -> Line<'static> {
    match &state.notice {
        // The last verdict, beside the progress.
        Some(Notice::Info(text)) if state.mode == Mode::Review => {
            return Line::from(format!(" {text}   {}", review(state)));
        }
        Some(Notice::Info(text)) => return Line::from(format!(" {text}")),
        Some(Notice::Problem(text)) => {
            return Line::styled(format!(" ! {text}"), state.theme.warning());
        }
        None => {}
    }
    if let Some(says) = state.tour.and_then(|t| t.says(&state.keymap)) {
        return Line::styled(format!(" {says}"), STRONG);
    }
    let hint = match &state.mode {
        Mode::Grid { .. } => grid(state).into(),
        Mode::Brush(Brush::Paint) => brush("painting", state.brush),
        Mode::Brush(Brush::Erase) => brush("erasing", state.brush),
        Mode::Polygon { points } => format!(
            "polygon of {} points: {} adds, {} paints, {} erases, {} takes one back, esc drops",
            points.len(),
            state.keymap.first("polygon"),
            state.keymap.first("accept"),
            state.keymap.first("erase"),
            state.keymap.first("undo"),
        ),
        Mode::Contour(contour) => {
            let (at, count) = contour.outline.place();
            format!(
                "outline {at}/{count}: move keys move it, {} next, {} add, {} remove, {} keep, esc",
                state.keymap.first("next-object"),
                state.keymap.first("inside"),
                state.keymap.first("delete"),
                state.keymap.first("accept"),
            )
        }
        Mode::Mark(Marking::Set) => "a letter names this place, esc leaves it".into(),
        Mode::Mark(Marking::Go) => {
            let known: Vec<String> = state.marks.keys().map(char::to_string).collect();
            format!("go to the place with this letter: {}", known.join(" "))
        }
        Mode::Hints => {
            "hints: a letter takes that object, a capital accepts it at once, esc ends".into()
        }
        Mode::Sheet => {
            "sheet: a letter rejects, enter accepts the others, esc one at a time".into()
        }
        Mode::Review => review(state),
        Mode::Typing { .. } | Mode::Help { .. } => String::new(),
        Mode::Aim => aim(state),
    };
    Line::styled(format!(" {hint}"), DIM)
}

fn grid(state: &State) -> &'static str {
    match state.shown().and_then(|o| o.corner) {
        Some(_) => "the other corner: q w e / a s d / z x c narrow, a capital puts it there",
        None => "grid: q w e / a s d / z x c narrow, a capital clicks, other keys act there",
    }
}

fn review(state: &State) -> String {
    let keys = "a accept  x reject  f flag  space later  e fix  s show  G sheet  u back  esc";
    let review = &state.review;
    if review.item().is_none() && !review.surveyed {
        return "looking for objects to review …".into();
    }
    let place = format!(
        "{}/{}",
        review.at.min(review.queue.len()),
        review.queue.len()
    );
    match review.pace() {
        Some((rate, left)) => {
            format!("{place}  {rate:.0} a minute  {left:.0} min left   {keys}")
        }
        None => format!("{place}   {keys}"),
    }
}

fn brush(doing: &str, radius: f64) -> String {
    format!("{doing} while moving, radius {radius:.0} px: [ ] size, m paint, M erase, enter accept")
}

fn aim(state: &State) -> String {
    let Some(open) = state.shown() else {
        return "q quit  ? help".into();
    };
    let overlay = match state.overlay {
        Overlay::Fill => "",
        Overlay::Outline => "  (masks outlined: v)",
        Overlay::Blink | Overlay::Dark => "  (masks blink: v)",
        Overlay::Off => "  (masks hidden: v)",
    };
    let draft = &open.document().draft;
    let keys: &[(&str, &str)] = if open.corner.is_some() {
        &[
            ("corner", "other corner"),
            ("grid", "grid"),
            ("drop", "drop"),
        ]
    } else if draft.mask().is_some() {
        &[
            ("accept", "accept"),
            ("inside", "inside"),
            ("outside", "outside"),
            ("doubtful", "doubtful place"),
            ("paint", "brush"),
            ("undo", "undo"),
            ("drop", "drop"),
        ]
    } else if open.selected.is_some() {
        &[
            ("edit", "edit"),
            ("delete", "delete"),
            ("class", "class"),
            ("next-object", "next"),
            ("zoom-object", "zoom"),
            ("drop", "unselect"),
        ]
    } else {
        &[
            ("corner", "box"),
            ("inside", "inside"),
            ("hints", "hints"),
            ("grid", "grid aim"),
            ("next-object", "objects"),
            ("next", "next"),
            ("review", "review"),
            ("help", "help"),
        ]
    };
    let told = |(name, does): &(&str, &str)| format!("{} {does}", state.keymap.first(name));
    let keys: Vec<String> = keys.iter().map(told).collect();
    let keys = keys.join("  ");
    format!("{keys}{overlay}")
}
