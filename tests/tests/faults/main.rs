//! The fault catalogue end to end: each test injects one row's fault on loopback, reads through a client, and checks
//! that every byte is the origin's, that the end is the true end or the row's error, that the requests are as few as
//! they should be, and that none follows the end. Each runs through both runtimes.

/// Makes of each script, a function of the runtime, one test per runtime, in a module of the script's name.
macro_rules! both {
    ($($script:ident,)*) => {$(
        mod $script {
            use infill_tests::runtime::Runtime;

            #[test]
            fn blocking() {
                super::$script(Runtime::Blocking);
            }

            #[test]
            fn tokio() {
                super::$script(Runtime::Tokio);
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
