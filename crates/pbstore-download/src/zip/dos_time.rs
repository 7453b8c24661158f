//! Times as zip has them: two seconds exact, from 1980 to 2107, without a time zone.

const DAY_SECONDS: i64 = 86400;
/// 1980-01-01T00:00:00Z and the first second of 2108.
const FIRST: i64 = 315_532_800;
const END: i64 = 4_354_819_200;

/// Time and date, both in UTC; what lies outside is moved to the nearest time that can be said.
pub(super) fn dos_time(seconds: i64) -> (u16, u16) {
    let seconds = seconds.clamp(FIRST, END - 1);
    let (day, second) = (seconds.div_euclid(DAY_SECONDS), seconds.rem_euclid(DAY_SECONDS));
    let (year, month, day) = date(day);
    let time = (second / 3600) << 11 | (second / 60 % 60) << 5 | (second % 60 / 2);
    let date = (year - 1980) << 9 | month << 5 | day;
    (time as u16, date as u16)
}

/// Year, month and day of a day since 1970, by the Gregorian calendar.
fn date(day: i64) -> (i64, i64, i64) {
    // Years that begin in March have their leap day at the end.
    let day = day + 719_468;
    let (era, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next_year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(seconds: i64) -> [u16; 6] {
        let (time, date) = dos_time(seconds);
        [1980 + (date >> 9), date >> 5 & 15, date & 31, time >> 11, time >> 5 & 63, (time & 31) * 2]
    }

    #[test]
    fn times_of_the_calendar() {
        assert_eq!(parts(1_717_597_476), [2024, 6, 5, 14, 24, 36]);
        assert_eq!(parts(951_827_699), [2000, 2, 29, 12, 34, 58]);
        assert_eq!(parts(946_684_799), [1999, 12, 31, 23, 59, 58]);
        assert_eq!(parts(4_102_444_800), [2100, 1, 1, 0, 0, 0]);
        assert_eq!(parts(4_107_542_399), [2100, 2, 28, 23, 59, 58]);
        assert_eq!(parts(4_107_542_400), [2100, 3, 1, 0, 0, 0]);
    }

    #[test]
    fn times_that_zip_does_not_have() {
        for seconds in [i64::MIN, -1, 0, FIRST - 1, FIRST] {
            assert_eq!(parts(seconds), [1980, 1, 1, 0, 0, 0]);
        }
        for seconds in [END - 1, END, i64::MAX] {
            assert_eq!(parts(seconds), [2107, 12, 31, 23, 59, 58]);
        }
    }
}
