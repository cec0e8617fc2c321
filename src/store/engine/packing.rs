//! Large values are stored compressed (LZ4) where that makes them smaller.

/// What a packed value begins with. Nothing else that is kept this way does: a PDF begins with a percent sign, JSON
/// with a brace.
const PACKED: u8 = 1;

/// What a value begins with that is packed against another one, followed by what names that one.
const PACKED_AGAINST: u8 = 2;
/// Octets of the name of a base.
const NAME_OCTETS: usize = 32;

/// The value, packed if that makes it smaller or if it could be taken for a packed one.
pub(in crate::store) fn pack(value: Vec<u8>) -> Vec<u8> {
    let mut packed = vec![PACKED];
    packed.extend(lz4_flex::compress_prepend_size(&value));
    let could_be_taken_for_packed = matches!(value.first(), Some(&(PACKED | PACKED_AGAINST)));
    if packed.len() < value.len() || could_be_taken_for_packed { packed } else { value }
}

/// What the value has that `base` has not. `name` is what the base is found by.
pub(in crate::store) fn pack_against(value: &[u8], base: &[u8], name: [u8; NAME_OCTETS]) -> Vec<u8> {
    let mut packed = vec![PACKED_AGAINST];
    packed.extend(name);
    packed.extend(lz4_flex::block::compress_prepend_size_with_dict(value, base));
    packed
}

/// The name of the base that a kept value was packed against, if it was.
pub(in crate::store) fn base_of(kept: &[u8]) -> Option<[u8; NAME_OCTETS]> {
    let (&PACKED_AGAINST, rest) = kept.split_first()? else { return None };
    rest.first_chunk().copied()
}

/// The value that was packed against `base`; `None` if it is damaged or would be larger than `octets_max`.
pub(in crate::store) fn unpack_against(kept: &[u8], base: &[u8], octets_max: usize) -> Option<Vec<u8>> {
    let packed = kept.get(1 + NAME_OCTETS..)?;
    let (octets, rest) = lz4_flex::block::uncompressed_size(packed).ok()?;
    if octets > octets_max {
        return None;
    }
    lz4_flex::block::decompress_with_dict(rest, octets, base).ok()
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
            prop_assert_eq!(base_of(&pack(value.clone())), None);
            prop_assert_eq!(unpack(pack(value.clone()), 300), Some(value));
        }

        #[test]
        fn a_value_packed_against_another_comes_back_with_it(
            value in prop::collection::vec(0u8..4, 0..300),
            base in prop::collection::vec(0u8..4, 0..300),
            flipped in 0usize..400,
        ) {
            let mut kept = pack_against(&value, &base, [7; NAME_OCTETS]);
            prop_assert_eq!(base_of(&kept), Some([7; NAME_OCTETS]));
            prop_assert_eq!(unpack_against(&kept, &base, 300), Some(value));
            if let Some(octet) = kept.get_mut(flipped) {
                *octet ^= 0x55;
            }
            // Whatever was damaged, nothing panics and nothing grows beyond its limit.
            prop_assert!(unpack_against(&kept, &base, 300).is_none_or(|value| value.len() <= 300));
        }
    }

    #[test]
    fn a_value_larger_than_allowed_or_damaged_is_not_unpacked() {
        assert_eq!(unpack_against(&pack_against(&[7; 1000], &[7; 10], [0; NAME_OCTETS]), &[7; 10], 999), None);
        assert_eq!(unpack_against(&[PACKED_AGAINST, 1, 2], &[], 999), None);
        let packed = pack(vec![7; 1000]);
        assert!(packed.len() < 100);
        assert_eq!(unpack(packed.clone(), 999), None);
        assert_eq!(unpack(packed[..packed.len() - 3].to_vec(), 1000), None);
    }
}
