//! Any pixels come back, not only those that somebody thought of.

use super::*;

/// Up to four objects of scattered pixels, none of which covers another.
fn scattered() -> impl Strategy<Value = Vec<Arc<Object>>> {
    const PIECE: Size = Size::new(23, 17);
    let bits = proptest::collection::vec(0..2_u8, PIECE.area() as usize);
    let place = (0..SIZE.width - PIECE.width, 0..SIZE.height - PIECE.height);
    proptest::collection::vec((place, bits), 1..5).prop_map(|pieces| {
        let mut objects: Vec<Arc<Object>> = Vec::new();
        for ((x, y), bits) in pieces {
            let bounds = ImageRect::new(x, y, x + PIECE.width, y + PIECE.height);
            let mask = Mask::from_bytes(SIZE, bounds, &bits);
            let free = objects.iter().fold(mask, |m, o| m.difference(&o.mask));
            if !free.is_empty() {
                let id = objects.len() as u64 + 1;
                // Of things alone Cityscapes tells one from another of the class.
                let class = ["car", "person"][objects.len() % 2];
                objects.push(object(id, class, free));
            }
        }
        objects
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn any_pixels_come_back(objects in scattered()) {
        for format in OF_PIXELS {
            prop_assert!(comes_back(format, &objects), "{:?}", format);
        }
    }
}
