// QuickJS as one file, with what its public functions do not give.

#include "quickjs.c"

/// Bounds how deep JavaScript may nest, in bytes of the value stack. QuickJS sets no bound of its own for WASI, and a
/// program without end of recursion would overwrite memory.
void bound_stack(JSRuntime *rt, size_t bytes) {
    rt->stack_limit = js_get_stack_pointer() - bytes;
}
