// Matrices held by all lanes of a subgroup together, from and to workgroup memory: left [M, K] and right [K, N] in f16,
// result [M, N] in f32, of the sizes that the adapter offers. Include first: it enables extensions.
enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;

#param MATRIX_M 16
#param MATRIX_N 16
#param MATRIX_K 16

alias Half = f16;
alias Left = subgroup_matrix_left<f16, MATRIX_K, MATRIX_M>;
alias Right = subgroup_matrix_right<f16, MATRIX_N, MATRIX_K>;
alias Result = subgroup_matrix_result<f32, MATRIX_N, MATRIX_M>;

fn load_left(at: u32) -> Left { return subgroupMatrixLoad<Left, row_major>(&left_tile, at, LEFT_STRIDE); }
fn load_right(at: u32) -> Right { return subgroupMatrixLoad<Right, row_major>(&right_tile, at, RIGHT_STRIDE); }
fn multiply_add(left: Left, right: Right, sum: Result) -> Result {
  return subgroupMatrixMultiplyAccumulate(left, right, sum);
}
fn store_result(at: u32, result: Result) { subgroupMatrixStore<row_major>(&result_tile, at, result, MATRIX_N); }
