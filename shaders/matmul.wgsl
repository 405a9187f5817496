// Matrix products, out[i, j] = Σ_l a[i, l] b[l, j], and what an elementwise function makes of them; the twin of
// `src/kernels/matmul.rs`.
//
// A workgroup computes a tile of DOWN·ROWS rows and ACROSS·COLUMNS columns: each thread ROWS × COLUMNS sums in registers, its
// rows DOWN and its columns ACROSS apart. Both operands pass through workgroup memory DEPTH terms at a time, and every entry
// sums over l in order. The sum is split into PARTS ranges where tiles alone would leave the device idle; the partial sums
// lie one behind the other and are added where they are read.
// Composed around it: constants N K M A_ROW A_COLUMN B_ROW B_COLUMN DOWN ACROSS ROWS COLUMNS DEPTH PARTS OUT, and
// fn at_a(e), at_b(e), finish(total, e).

const TILE_ROWS: u32 = DOWN * ROWS;
const TILE_COLUMNS: u32 = ACROSS * COLUMNS;

var<workgroup> tile_a: array<f32, DEPTH * TILE_ROWS>;
var<workgroup> tile_b: array<f32, DEPTH * TILE_COLUMNS>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let across = (M + TILE_COLUMNS - 1u) / TILE_COLUMNS;
    let first_row = (group.x / across) * TILE_ROWS;
    let first_column = (group.x % across) * TILE_COLUMNS;
    let row = lane / ACROSS;
    let column = lane % ACROSS;
    var sums: array<f32, ROWS * COLUMNS>;
    let size = (K + PARTS - 1u) / PARTS;
    let first = group.y * size;
    let last = min(first + size, K);
    for (var start = first; start < last; start += DEPTH) {
        workgroupBarrier();
        for (var e = lane; e < DEPTH * TILE_ROWS; e += 64u) {
            // Neighbouring threads read neighbouring entries, however the operand lies.
            var l = e % DEPTH;
            var r = e / DEPTH;
            if (A_ROW == 1u) {
                l = e / TILE_ROWS;
                r = e % TILE_ROWS;
            }
            let inside = start + l < last && first_row + r < N;
            let at = min(first_row + r, N - 1u) * A_ROW + min(start + l, K - 1u) * A_COLUMN;
            tile_a[l * TILE_ROWS + r] = select(0.0, at_a(at), inside);
        }
        for (var e = lane; e < DEPTH * TILE_COLUMNS; e += 64u) {
            var l = e / TILE_COLUMNS;
            var c = e % TILE_COLUMNS;
            if (B_ROW == 1u) {
                l = e % DEPTH;
                c = e / DEPTH;
            }
            let inside = start + l < last && first_column + c < M;
            let at = min(start + l, K - 1u) * B_ROW + min(first_column + c, M - 1u) * B_COLUMN;
            tile_b[l * TILE_COLUMNS + c] = select(0.0, at_b(at), inside);
        }
        workgroupBarrier();
        for (var l = 0u; l < DEPTH; l++) {
            var b: array<f32, COLUMNS>;
            for (var q = 0u; q < COLUMNS; q++) {
                b[q] = tile_b[l * TILE_COLUMNS + column + q * ACROSS];
            }
            for (var p = 0u; p < ROWS; p++) {
                let scale = tile_a[l * TILE_ROWS + row + p * DOWN];
                for (var q = 0u; q < COLUMNS; q++) {
                    sums[p * COLUMNS + q] += scale * b[q];
                }
            }
        }
    }
    for (var p = 0u; p < ROWS; p++) {
        for (var q = 0u; q < COLUMNS; q++) {
            let i = first_row + row + p * DOWN;
            let j = first_column + column + q * ACROSS;
            if (i < N && j < M) {
                arena[OUT + group.y * N * M + i * M + j] = finish(sums[p * COLUMNS + q], i * M + j);
            }
        }
    }
}
