//! Eight numbers at a time, for the inner loops of scaling.
//!
//! On x86-64 by SSE2, which each of them has; elsewhere one after the other. Both count alike. Knows no picture.

/// Eight numbers that are counted with at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lanes(inner::Register);

pub(crate) type Eight = [i16; 8];

impl Lanes {
    pub(crate) fn of(numbers: &Eight) -> Self {
        Self(inner::load(numbers))
    }

    pub(crate) fn all(number: i16) -> Self {
        Self::of(&[number; 8])
    }

    /// The upper half of each product of 32 bits is added, round and round.
    pub(crate) fn plus_product(self, numbers: Self, factors: Self) -> Self {
        Self(inner::plus_product(self.0, numbers.0, factors.0))
    }

    pub(crate) fn write(self, to: &mut Eight) {
        *to = inner::read(self.0);
    }

    /// Four bytes: the first half and the second one added, divided by 32, no less than 0 and no more than 255.
    pub(crate) fn folded_bytes(self) -> [u8; 4] {
        inner::folded_bytes(self.0)
    }
}

#[cfg(target_arch = "x86_64")]
mod inner {
    use std::arch::x86_64::{
        __m128i, _mm_add_epi16, _mm_cvtsi128_si32, _mm_loadu_si128, _mm_mulhi_epi16, _mm_packus_epi16,
        _mm_srai_epi16, _mm_storeu_si128, _mm_unpackhi_epi64,
    };

    use super::Eight;

    pub(super) type Register = __m128i;

    #[inline(always)]
    pub(super) fn load(numbers: &Eight) -> Register {
        // SAFETY: sixteen bytes are there, of any alignment; SSE2 is part of x86-64.
        unsafe { _mm_loadu_si128(std::ptr::from_ref(numbers).cast()) }
    }

    #[inline(always)]
    pub(super) fn read(register: Register) -> Eight {
        let mut numbers = [0; 8];
        // SAFETY: as above.
        unsafe { _mm_storeu_si128(std::ptr::from_mut(&mut numbers).cast(), register) };
        numbers
    }

    #[inline(always)]
    pub(super) fn plus_product(sum: Register, numbers: Register, factors: Register) -> Register {
        // SAFETY: touches no memory; SSE2 is part of x86-64.
        unsafe { _mm_add_epi16(sum, _mm_mulhi_epi16(numbers, factors)) }
    }

    #[inline(always)]
    pub(super) fn folded_bytes(sum: Register) -> [u8; 4] {
        // SAFETY: as above.
        let bytes = unsafe {
            let folded = _mm_add_epi16(sum, _mm_unpackhi_epi64(sum, sum));
            let whole = _mm_srai_epi16::<5>(folded);
            _mm_cvtsi128_si32(_mm_packus_epi16(whole, whole))
        };
        bytes.to_le_bytes()
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod inner {
    pub(super) use super::plain::*;
}

/// One after the other.
#[cfg(any(test, not(target_arch = "x86_64")))]
mod plain {
    use super::Eight;

    pub(super) type Register = Eight;

    pub(super) fn load(numbers: &Eight) -> Register {
        *numbers
    }

    pub(super) fn read(register: Register) -> Eight {
        register
    }

    pub(super) fn plus_product(sum: Register, numbers: Register, factors: Register) -> Register {
        std::array::from_fn(|lane| {
            let product = i32::from(numbers[lane]) * i32::from(factors[lane]);
            sum[lane].wrapping_add((product >> 16) as i16)
        })
    }

    pub(super) fn folded_bytes(sum: Register) -> [u8; 4] {
        std::array::from_fn(|lane| (sum[lane].wrapping_add(sum[lane + 4]) >> 5).clamp(0, 255) as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_at_a_time_count_as_one_after_the_other() {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as i16
        };
        for _ in 0..10_000 {
            let [sum, numbers, factors]: [Eight; 3] =
                std::array::from_fn(|_| std::array::from_fn(|_| next()));
            let quick = Lanes::of(&sum).plus_product(Lanes::of(&numbers), Lanes::of(&factors));
            let slow = plain::plus_product(sum, numbers, factors);
            let mut read = [0; 8];
            quick.write(&mut read);
            assert_eq!(read, slow);
            assert_eq!(quick.folded_bytes(), plain::folded_bytes(slow));
        }
        assert_eq!(plain::read(plain::load(&[7; 8])), [7; 8]);
    }
}
