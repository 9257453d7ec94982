//! Makes Cargo notice new migrations, which `sqlx::migrate!` embeds.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
