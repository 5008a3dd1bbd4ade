//! Every way to tamper with one line is found, and the line is named.
