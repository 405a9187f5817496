// Pairwise kernel sums, out[i, c] = Σ_j k_{g(c)}(|x_i − y_j|², x_i·y_j) v[j, c]; the twin of `src/kernels/pair_sum.rs`.
//
// One thread a row i; sources pass through workgroup memory TILE at a time. Sources are split into PARTS ranges where rows
// alone would leave the device idle; their partial sums lie one behind the other and are added where they are read.
// Channels are split into BLOCKS of WIDTH, as many as a thread can sum in registers.
// Composed around it: constants N M D C WIDTH BLOCKS TILE PARTS OUT, and fn at_x(e), at_y(e), at_v(e),
// accumulate(r2, dot, j, skip, total).

var<workgroup> tile_y: array<f32, TILE * D>;
var<workgroup> tile_v: array<f32, TILE * WIDTH>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group.x * 64u + lane;
    let row = min(i, N - 1u);
    var x: array<f32, D>;
    for (var a = 0u; a < D; a++) {
        x[a] = at_x(row * D + a);
    }
    var total: array<f32, WIDTH>;
    let part = group.y / BLOCKS;
    let skip = (group.y % BLOCKS) * WIDTH;
    let size = (M + PARTS - 1u) / PARTS;
    let first = part * size;
    let last = min(first + size, M);
    for (var start = first; start < last; start += TILE) {
        workgroupBarrier();
        for (var e = lane; e < TILE * D; e += 64u) {
            tile_y[e] = at_y(min(start * D + e, M * D - 1u));
        }
        for (var e = lane; e < TILE * WIDTH; e += 64u) {
            let j = min(start + e / WIDTH, M - 1u);
            tile_v[e] = at_v(j * C + min(skip + e % WIDTH, C - 1u));
        }
        workgroupBarrier();
        let len = min(TILE, last - start);
        for (var j = 0u; j < len; j++) {
            var r2 = 0.0;
            var dot = 0.0;
            for (var a = 0u; a < D; a++) {
                let y = tile_y[j * D + a];
                let difference = x[a] - y;
                r2 += difference * difference;
                dot += x[a] * y;
            }
            accumulate(r2, dot, j, skip, &total);
        }
    }
    if (i < N) {
        for (var c = 0u; c < min(WIDTH, C - skip); c++) {
            arena[OUT + (part * N + i) * C + skip + c] = total[c];
        }
    }
}
