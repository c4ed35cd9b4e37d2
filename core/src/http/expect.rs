//! What a body should be, by which an answer that is something else is told.

/// What the body of a resource should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expect {
    /// Audio. Pages and playlists are refused by their first bytes (FAULTS B19).
    #[default]
    Media,
    /// A playlist.
    Playlist,
    /// Bytes that say nothing of themselves: a key, an encrypted segment. Pages are refused by their media type alone.
    Opaque,
}
