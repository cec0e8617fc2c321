//! Large values are stored compressed (LZ4) where that makes them smaller.

/// What a packed value begins with. Nothing else that is kept this way does: a PDF begins with a percent sign, JSON
/// with a brace.
const PACKED: u8 = 1;

/// The value, packed if that makes it smaller or if it could be taken for a packed one.
pub(in crate::store) fn pack(value: Vec<u8>) -> Vec<u8> {
    let mut packed = vec![PACKED];
    packed.extend(lz4_flex::compress_prepend_size(&value));
    if packed.len() < value.len() || value.first() == Some(&PACKED) { packed } else { value }
}

/// The value as it was given; `None` if it is damaged or would be larger than `octets_max`.
pub(in crate::store) fn unpack(kept: Vec<u8>, octets_max: usize) -> Option<Vec<u8>> {
    let Some((&PACKED, packed)) = kept.split_first() else { return Some(kept) };
    let (octets, rest) = lz4_flex::block::uncompressed_size(packed).ok()?;
    if octets > octets_max {
        return None;
    }
    lz4_flex::decompress(rest, octets).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_value_comes_back_as_it_was_given(value in prop::collection::vec(0u8..4, 0..300)) {
            prop_assert_eq!(unpack(pack(value.clone()), 300), Some(value));
        }
    }

    #[test]
    fn a_value_larger_than_allowed_or_damaged_is_not_unpacked() {
        let packed = pack(vec![7; 1000]);
        assert!(packed.len() < 100);
        assert_eq!(unpack(packed.clone(), 999), None);
        assert_eq!(unpack(packed[..packed.len() - 3].to_vec(), 1000), None);
    }
}
