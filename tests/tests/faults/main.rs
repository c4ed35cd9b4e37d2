//! The fault catalogue end to end: each test injects one row's fault on loopback, reads through a client, and checks
//! that every byte is the origin's, that the end is the true end or the row's error, that the requests are as few as
//! they should be, and that none follows the end. Each runs through both runtimes.

/// Makes a test of each script, in a module of the script's name: it runs through both runtimes at once, for most of a
/// script's time is waiting.
macro_rules! both {
    ($($script:ident,)*) => {$(
        mod $script {
            #[test]
            fn through_both_runtimes() {
                crate::case::through_both(super::$script);
            }
        }
    )*};
}

mod case;
mod cuts;
mod ends;
mod live;
mod message;
mod pace;
mod parts;
mod placement;
mod urls;
mod versions;
