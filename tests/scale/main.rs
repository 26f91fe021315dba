//! Many at once: what idles costs nothing, who floods starves nobody, who never
//! reads holds nobody for ever.
//!
//! | file | has |
//! |---|---|
//! | `idle` | a process in which everybody waits makes no system call |
//! | `floods` | a peer that always has data beside those that seldom have |
//! | `crowd` | many descriptors that are ready at once, among very many |
//! | `slow` | peers that never read or never write, and deadlines |

mod crowd;
mod floods;
mod idle;
mod slow;
