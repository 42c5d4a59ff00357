/* The sources in Prelude/ and the public header, embedded by the C compiler. Makes no decisions:
 * which of them a network needs is the emitter's business. */
#include "prelude.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

#define BYTES(symbol) static const unsigned char symbol[]
#define ENTRY(name, symbol) {name, symbol, sizeof symbol}

BYTES(sparsec_h) = {
#embed "../CSparsec/include/sparsec.h"
};
BYTES(activation_h) = {
#embed "Prelude/activation.h"
};
BYTES(band_h) = {
#embed "Prelude/band.h"
};
BYTES(border_bias_h) = {
#embed "Prelude/border_bias.h"
};
BYTES(context_c) = {
#embed "Prelude/context.c"
};
BYTES(convolution_columns_h) = {
#embed "Prelude/convolution_columns.h"
};
BYTES(convolution_depthwise_h) = {
#embed "Prelude/convolution_depthwise.h"
};
BYTES(convolution_hardcoded_h) = {
#embed "Prelude/convolution_hardcoded.h"
};
BYTES(convolution_packed_h) = {
#embed "Prelude/convolution_packed.h"
};
BYTES(convolution_sparse_h) = {
#embed "Prelude/convolution_sparse.h"
};
BYTES(convolution_winograd_h) = {
#embed "Prelude/convolution_winograd.h"
};
BYTES(copy_h) = {
#embed "Prelude/copy.h"
};
BYTES(cpu_c) = {
#embed "Prelude/cpu.c"
};
BYTES(cpu_h) = {
#embed "Prelude/cpu.h"
};
BYTES(eltwise_h) = {
#embed "Prelude/eltwise.h"
};
BYTES(exponential_h) = {
#embed "Prelude/exponential.h"
};
BYTES(inner_product_columns_h) = {
#embed "Prelude/inner_product_columns.h"
};
BYTES(inner_product_dense_h) = {
#embed "Prelude/inner_product_dense.h"
};
BYTES(inner_product_sparse_h) = {
#embed "Prelude/inner_product_sparse.h"
};
BYTES(lrn_h) = {
#embed "Prelude/lrn.h"
};
BYTES(network_h) = {
#embed "Prelude/network.h"
};
BYTES(panel_h) = {
#embed "Prelude/panel.h"
};
BYTES(planes_h) = {
#embed "Prelude/planes.h"
};
BYTES(pool_c) = {
#embed "Prelude/pool.c"
};
BYTES(pool_h) = {
#embed "Prelude/pool.h"
};
BYTES(pooling_h) = {
#embed "Prelude/pooling.h"
};
BYTES(product_h) = {
#embed "Prelude/product.h"
};
BYTES(rows_h) = {
#embed "Prelude/rows.h"
};
BYTES(run_c) = {
#embed "Prelude/run.c"
};
BYTES(run_h) = {
#embed "Prelude/run.h"
};
BYTES(scale_h) = {
#embed "Prelude/scale.h"
};
BYTES(selection_h) = {
#embed "Prelude/selection.h"
};
BYTES(softmax_h) = {
#embed "Prelude/softmax.h"
};
BYTES(statistics_h) = {
#embed "Prelude/statistics.h"
};
BYTES(strip_h) = {
#embed "Prelude/strip.h"
};
BYTES(vector_h) = {
#embed "Prelude/vector.h"
};
BYTES(windows_h) = {
#embed "Prelude/windows.h"
};
BYTES(winograd_h) = {
#embed "Prelude/winograd.h"
};

static const struct sparsec_prelude_file files[] = {
  ENTRY("sparsec.h", sparsec_h),
  ENTRY("activation.h", activation_h),
  ENTRY("band.h", band_h),
  ENTRY("border_bias.h", border_bias_h),
  ENTRY("context.c", context_c),
  ENTRY("convolution_columns.h", convolution_columns_h),
  ENTRY("convolution_depthwise.h", convolution_depthwise_h),
  ENTRY("convolution_hardcoded.h", convolution_hardcoded_h),
  ENTRY("convolution_packed.h", convolution_packed_h),
  ENTRY("convolution_sparse.h", convolution_sparse_h),
  ENTRY("convolution_winograd.h", convolution_winograd_h),
  ENTRY("copy.h", copy_h),
  ENTRY("cpu.c", cpu_c),
  ENTRY("cpu.h", cpu_h),
  ENTRY("eltwise.h", eltwise_h),
  ENTRY("exponential.h", exponential_h),
  ENTRY("inner_product_columns.h", inner_product_columns_h),
  ENTRY("inner_product_dense.h", inner_product_dense_h),
  ENTRY("inner_product_sparse.h", inner_product_sparse_h),
  ENTRY("lrn.h", lrn_h),
  ENTRY("network.h", network_h),
  ENTRY("panel.h", panel_h),
  ENTRY("planes.h", planes_h),
  ENTRY("pool.c", pool_c),
  ENTRY("pool.h", pool_h),
  ENTRY("pooling.h", pooling_h),
  ENTRY("product.h", product_h),
  ENTRY("rows.h", rows_h),
  ENTRY("run.c", run_c),
  ENTRY("run.h", run_h),
  ENTRY("scale.h", scale_h),
  ENTRY("selection.h", selection_h),
  ENTRY("softmax.h", softmax_h),
  ENTRY("statistics.h", statistics_h),
  ENTRY("strip.h", strip_h),
  ENTRY("vector.h", vector_h),
  ENTRY("windows.h", windows_h),
  ENTRY("winograd.h", winograd_h),
};

const struct sparsec_prelude_file *sparsec_prelude_files(size_t *count) {
  *count = sizeof files / sizeof *files;
  return files;
}
