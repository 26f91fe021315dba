//! Many at once: what idles costs nothing, who floods starves nobody, who never
//! reads holds nobody for ever.
//!
//! | file | has |
//! |---|---|
//! | `idle` | a process in which everybody waits makes no system call |
//! | `floods` | a peer that always has data beside those that seldom have |
//! | `slow` | peers that never read or never write, and deadlines |

mod floods;
mod idle;
mod slow;
