//! Compiles the markup. Debug information stays in, because tests and the demo find controls by accessible label.

fn main() {
    let configuration = slint_build::CompilerConfiguration::new().with_debug_info(true);
    slint_build::compile_with_config("app.slint", configuration).expect("ui/app.slint compiles");
}
