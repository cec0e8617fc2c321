//! Several nodes on one PostgreSQL: no leader, no configuration of each other, each with its own network name and
//! address. A node may join, drain or die at any time, and their clocks need not agree.

mod draining;
mod sharing;
mod skewing;
