//! The rules that a playlist may break without being hard to read: strict mode refuses over them.

use core::time::Duration;

use super::attributes::Attributes;
use super::report::{PlaylistError, Report};

/// Looks at a media playlist while it is read.
#[derive(Debug, Default)]
pub(super) struct MediaAudit {
    segments: usize,
}

impl MediaAudit {
    pub(super) fn tag(
        &mut self,
        _line: u32,
        _tag: &str,
        _value: &str,
        _report: &mut Report,
    ) -> Result<(), PlaylistError> {
        Ok(())
    }

    pub(super) fn attributes(
        &mut self,
        _tag: &str,
        _attributes: &Attributes<'_>,
        _report: &mut Report,
    ) -> Result<(), PlaylistError> {
        Ok(())
    }

    pub(super) fn segment(
        &mut self,
        line: u32,
        duration: Option<Duration>,
        report: &mut Report,
    ) -> Result<(), PlaylistError> {
        self.segments += 1;
        if duration.is_none() {
            report.broken(line, "a segment without EXTINF", "RFC 8216, section 4.3.2.1")?;
        }
        Ok(())
    }

    pub(super) fn finish(self, _report: &mut Report) -> Result<(), PlaylistError> {
        Ok(())
    }
}
