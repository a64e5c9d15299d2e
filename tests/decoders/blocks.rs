//! Blocks are no pixels: what their cells show together is compared cell by cell.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::Color;
use termask::core::geometry::{ImagePoint, ImageRect};
use termask::core::prompt::{Click, Side};
use termask::core::raster::screen_size;
use termask::core::scene::{Scene, Style};
use termask::term::blocks::{Blocks, Depth};
use termask::term::kitty::Kitty;
use termask::term::pace::Speed;

use crate::{COLS, Change, KITTY, Player, ROWS, WHOLE, drawing, play_all};

/// How far the mean of a cell may be from the drawing's: blocks scale the photo to two pixels a cell.
const NEAR: f64 = 6.0;

/// The share of the cells without lines in or beside them whose colour is that of the drawing; with
/// it how many there are.
fn share(scene: &Scene, (cols, rows): (u16, u16)) -> (f64, usize) {
    let mut buffer = Buffer::empty(Rect::new(0, 0, cols, rows));
    Blocks::default().draw(scene, Depth::True, Speed::Fast, &mut buffer);
    let view = &scene.view;
    let overlay = drawing::overlay(view, &scene.layers, &scene.marks);
    let picture = drawing::picture(scene);
    let (width, height) = screen_size(view);
    let (across, down) = (view.cell.width as u32, view.cell.height as u32);
    let (mut all, mut alike) = (0, 0);
    for (row, col) in
        (1..view.cells.rows - 1).flat_map(|r| (1..view.cells.cols - 1).map(move |c| (r, c)))
    {
        let (x, y) = (u32::from(col) * across, u32::from(row) * down);
        let around = (y - down..(y + 2 * down).min(height))
            .flat_map(|y| (x - across..(x + 2 * across).min(width)).map(move |x| (x, y)));
        let mut inks = around.map(|(x, y)| overlay.indices[(y * width + x) as usize]);
        let first = inks.next();
        if !inks.all(|ink| Some(ink) == first) {
            continue;
        }
        let own = (y..y + down).flat_map(|y| (x..x + across).map(move |x| (x, y)));
        let mut mean = [0.0; 3];
        for (x, y) in own {
            for (k, mean) in mean.iter_mut().enumerate() {
                *mean += f64::from(picture.get_pixel(x, y)[k]) / f64::from(across * down);
            }
        }
        let seen = colour(&buffer[(view.cells.col + col, view.cells.row + row)]);
        all += 1;
        alike += usize::from((0..3).all(|k| (seen[k] - mean[k]).abs() <= NEAR));
    }
    (alike as f64 / f64::max(all as f64, 1.0), all)
}

/// The mean of what a cell shows.
fn colour(cell: &Cell) -> [f64; 3] {
    let filled = match cell.symbol() {
        "▀" | "▄" | "▌" | "▐" | "▚" | "▞" => 0.5,
        "▘" | "▝" | "▖" | "▗" => 0.25,
        "▛" | "▜" | "▙" | "▟" => 0.75,
        "█" => 1.0,
        _ => 0.0,
    };
    let channels = |colour: Color| match colour {
        Color::Rgb(r, g, b) => [r, g, b].map(f64::from),
        other => panic!("{other:?} is no true colour"),
    };
    let (ink, ground) = (channels(cell.fg), channels(cell.bg));
    [0, 1, 2].map(|k| filled * ink[k] + (1.0 - filled) * ground[k])
}

#[test]
fn all_protocols_show_one_scene_with_photo_mask_box_clicks_and_crosshair() {
    let at = ImagePoint::new;
    let rect = ImageRect::new;
    let click = |x, y, side| Change::Click(Click { at: at(x, y), side });
    let changes = [
        Change::Mask(Some((
            rect(30, 20, 90, 80),
            rect(60, 40, 120, 90),
            Style::Strong,
        ))),
        Change::Box(Some(rect(30, 20, 120, 90))),
        click(50, 50, Side::Inside),
        click(140, 30, Side::Outside),
        Change::Cursor(at(110, 70)),
    ];
    play_all(&changes);
    let mut player = Player::new(Box::<Kitty>::default(), WHOLE, KITTY);
    for change in &changes {
        player.apply(change);
    }
    let (share, cells) = share(&player.scene, (COLS, ROWS));
    assert!(cells > 20 && share > 0.97, "{share} of {cells} cells");
}
