//! One integration binary: a module per feature, named after what a user does or what goes wrong.

mod blaming;
mod campaigns;
mod cli;
mod configuring;
mod crash;
mod dashboard;
mod delivering;
mod hardships;
mod hinting;
mod importing;
mod inbox;
mod layering;
mod nodes;
mod people;
mod postfix;
mod providers;
mod rendering;
mod repeating;
mod sandbox;
mod settling;
mod simulation;
mod smtp;
mod storage;
mod support;
mod undoing;
mod web;
