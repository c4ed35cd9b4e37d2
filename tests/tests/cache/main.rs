//! The cache from outside: what is fetched once is there after a restart, in either runtime, and what is on the disk is
//! used where it is right and nowhere else. Each script runs through both runtimes, over loopback.

#![allow(clippy::unwrap_used)] // Scripts of tests: what is unexpected fails them.

/// Makes a test of each script, in a module of the script's name: it runs through both runtimes at once.
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
mod damage;
mod downloads;
mod eviction;
mod full_disk;
mod keeping;
mod locks;
mod loss;
mod offline;
mod privacy;
mod resume;
mod sharing;
mod versions;
