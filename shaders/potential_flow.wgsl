// Samples through all Runge–Kutta stages of a potential flow, and back: the twin of `src/kernels/potential_flow.rs`.
//
// A workgroup takes 64 samples, a thread each, all the way in one dispatch. What a thread remembers lies in slots of the arena, a
// float for each of the 64 samples, so that neighbouring threads read neighbouring floats. The way back evaluates each stage
// again from its point. Sums over samples are taken entry by entry, between barriers, into a gradient of each workgroup.
// Composed around it: constants N D M LAYERS RANK STAGES PASSES GROUPS PARAMETERS, where the parts of the parameters begin, the slots,
// OUT SCRATCH WANTED (0 the end, 1 the gradient by parameters, 2 by samples), ALPHA H, and fn at_x(e), at_theta(e), at_offset(e),
// at_slope(e), time(k), lead(k), weight(k).

var<private> base: u32;
// M, unknown to compilers, which would write out every loop over it, for seconds.
var<private> width: u32;

fn recall(slot: u32) -> f32 {
    return arena[base + slot * 64u];
}

fn keep(slot: u32, value: f32) {
    arena[base + slot * 64u] = value;
}

// out [rows] = (what is there where `held`) + Σ_j θ[a + i·down + j·across] b [columns]; eight rows at a time.
fn product(held: f32, out: u32, a: u32, down: u32, across: u32, rows: u32, columns: u32, b: u32) {
    for (var i = 0u; i < rows; i += 8u) {
        var sums = array<f32, 8>();
        for (var j = 0u; j < columns; j++) {
            let value = recall(b + j);
            for (var r = 0u; r < 8u; r++) {
                sums[r] += at_theta(a + min(i + r, rows - 1u) * down + j * across) * value;
            }
        }
        for (var r = 0u; r < min(8u, rows - i); r++) {
            keep(out + i + r, sums[r] + select(0.0, recall(out + i + r), held > 0.0));
        }
    }
}

// tanh q and log(e^q + e^−q), of one exponential.
fn activation(q: f32) -> vec2<f32> {
    let size = abs(q);
    let u = exp_(-2.0 * size);
    let tanh = (1.0 - u) / (1.0 + u);
    return vec2(select(tanh, -tanh, q < 0.0), size + ln_(1.0 + u));
}

fn opening(i: u32, j: u32) -> f32 {
    return at_theta(i * (D + 1u) + j);
}

// Σ_{j ≤ d} K₀ij²
fn size_of(i: u32) -> f32 {
    var sum = 0.0;
    for (var j = 0u; j < D; j++) {
        sum += opening(i, j) * opening(i, j);
    }
    return sum;
}

fn matrix(l: u32) -> u32 {
    return RESIDUAL + l * (M * M + M);
}

// z above layer l.
fn above(l: u32, i: u32) -> f32 {
    if (l + 1u == LAYERS) {
        return at_theta(WEIGHTS + i);
    }
    return recall(Z + (l + 1u) * M + i);
}

// Column c of what goes into layer l: u, then J along each coordinate.
fn input(l: u32, c: u32) -> u32 {
    return INPUTS + (l * (D + 1u) + c) * M;
}

// Column c of what comes out of it: a, then K J.
fn output(l: u32, c: u32) -> u32 {
    return OUTPUTS + (l * (D + 1u) + c) * M;
}

// Σ_j (K J_j)² of layer l.
fn squares(l: u32, i: u32) -> f32 {
    var sum = 0.0;
    for (var c = 1u; c <= D; c++) {
        let p = recall(output(l, c) + i);
        sum += p * p;
    }
    return sum;
}

// ∇Φ into the slots GRADIENT, from the point in S; returns ΔΦ.
fn evaluate() -> f32 {
    product(0.0, OPEN, 0u, D + 1u, 1u, width, D + 1u, S);
    for (var i = 0u; i < width; i++) {
        let both = activation(recall(OPEN + i) + at_theta(OPENING_BIAS + i));
        keep(OPEN + i, both.x);
        keep(input(0u, 0u) + i, both.y);
        for (var j = 0u; j < D; j++) {
            keep(input(0u, j + 1u) + i, opening(i, j) * both.x);
        }
    }
    for (var l = 0u; l < LAYERS; l++) {
        for (var c = 0u; c <= D; c++) {
            product(0.0, output(l, c), matrix(l), M, 1u, width, width, input(l, c));
        }
        for (var i = 0u; i < width; i++) {
            let both = activation(recall(output(l, 0u) + i) + at_theta(matrix(l) + M * M + i));
            keep(output(l, 0u) + i, both.x);
            if (l + 1u < LAYERS) {
                for (var c = 0u; c <= D; c++) {
                    let moved = select(both.x * recall(output(l, c) + i), both.y, c == 0u);
                    keep(input(l + 1u, c) + i, recall(input(l, c) + i) + H * moved);
                }
            }
        }
    }
    var laplacian = 0.0;
    for (var e = 0u; e < RANK * D; e++) {
        let a = at_theta(QUADRATIC + (e / D) * (D + 1u) + e % D);
        laplacian += a * a;
    }
    for (var back = 0u; back < LAYERS; back++) {
        let l = LAYERS - 1u - back;
        for (var i = 0u; i < width; i++) {
            let a = recall(output(l, 0u) + i);
            let scaled = H * above(l, i);
            keep(Y + i, a * scaled);
            keep(Z + l * M + i, above(l, i));
            laplacian += (1.0 - a * a) * scaled * squares(l, i);
        }
        product(1.0, Z + l * M, matrix(l), 1u, M, width, width, Y);
    }
    for (var i = 0u; i < width; i++) {
        let a = recall(OPEN + i);
        let z = recall(Z + i);
        keep(Y + i, a * z);
        laplacian += (1.0 - a * a) * z * size_of(i);
    }
    for (var j = 0u; j <= D; j++) {
        keep(GRADIENT + j, at_theta(LINEAR + j));
    }
    product(1.0, GRADIENT, 0u, 1u, D + 1u, D + 1u, width, Y);
    quadratic(GRADIENT, STRETCHED, S);
    return laplacian;
}

// out += AᵀA s, and A s into `stretched`.
fn quadratic(out: u32, stretched: u32, s: u32) {
    product(0.0, stretched, QUADRATIC, D + 1u, 1u, RANK, D + 1u, s);
    product(1.0, out, QUADRATIC, 1u, D + 1u, D + 1u, RANK, stretched);
}

// |ẋ|²
fn speed() -> f32 {
    var sum = 0.0;
    for (var j = 0u; j < D; j++) {
        let dx = recall(GRADIENT + j) / ALPHA;
        sum += dx * dx;
    }
    return sum;
}

// Sums over the workgroup's samples: out [rows, columns] += Σ left ⊗ right, over `pairs` that lie M apart.
fn outer(lane: u32, out: u32, rows: u32, columns: u32, left: u32, right: u32, pairs: u32) {
    let first = base - lane;
    for (var e = lane; e < rows * columns; e += 64u) {
        let l = first + (left + e / columns) * 64u;
        let r = first + (right + e % columns) * 64u;
        var sum = 0.0;
        for (var c = 0u; c < pairs; c++) {
            for (var s = 0u; s < 64u; s++) {
                sum += arena[l + c * M * 64u + s] * arena[r + c * M * 64u + s];
            }
        }
        arena[out + e] += sum;
    }
}

// Pulls the adjoints of ∇Φ (slots GAMMA) and ΔΦ (slot MU) back to the point (slots INPUT), and adds to the gradient at `out`.
fn pull(lane: u32, out: u32) {
    let mu = recall(MU);
    product(0.0, ALONG, 0u, D + 1u, 1u, width, D + 1u, GAMMA);
    for (var i = 0u; i < width; i++) {
        let a = recall(OPEN + i);
        keep(ZETA + i, a * recall(ALONG + i) + mu * (1.0 - a * a) * size_of(i));
    }
    for (var l = 0u; l < LAYERS; l++) {
        product(0.0, CARRIED + l * M, matrix(l), M, 1u, width, width, ZETA + l * M);
        for (var i = 0u; i < width; i++) {
            let a = recall(output(l, 0u) + i);
            let bend = mu * (1.0 - a * a) * squares(l, i);
            keep(ZETA + (l + 1u) * M + i, recall(ZETA + l * M + i) + H * (a * recall(CARRIED + l * M + i) + bend));
        }
    }
    for (var k = 0u; k < width * (D + 1u); k++) {
        keep(BELOW + k, 0.0);
    }
    for (var back = 0u; back < LAYERS; back++) {
        let l = LAYERS - 1u - back;
        for (var i = 0u; i < width; i++) {
            let a = recall(output(l, 0u) + i);
            let z = above(l, i);
            let bend = mu * (1.0 - a * a) * z;
            var square = 0.0;
            var mixed = 0.0;
            for (var j = 0u; j < D; j++) {
                let p = recall(output(l, j + 1u) + i);
                let up = recall(BELOW + (j + 1u) * M + i);
                square += p * p;
                mixed += p * up;
                keep(LAYER + (j + 1u) * M + i, H * (2.0 * bend * p + a * up));
            }
            let slope = z * recall(CARRIED + l * M + i) + mixed;
            let curvature = (1.0 - a * a) * slope - 2.0 * a * bend * square;
            keep(LAYER + i, H * (curvature + a * recall(BELOW + i)));
            keep(Y + i, H * a * z);
        }
        if (WANTED == 1u) {
            storageBarrier();
            outer(lane, out + matrix(l), M, M, LAYER, input(l, 0u), D + 1u);
            storageBarrier();
            outer(lane, out + matrix(l), M, M, Y, ZETA + l * M, 1u);
            outer(lane, out + matrix(l) + M * M, M, 1u, LAYER, ONE, 1u);
            storageBarrier();
        }
        for (var j = 0u; j <= D; j++) {
            product(1.0, BELOW + j * M, matrix(l), 1u, M, width, width, LAYER + j * M);
        }
    }
    for (var i = 0u; i < width; i++) {
        let a = recall(OPEN + i);
        let z = recall(Z + i);
        var mixed = 0.0;
        for (var j = 0u; j < D; j++) {
            mixed += opening(i, j) * recall(BELOW + (j + 1u) * M + i);
        }
        let slope = z * recall(ALONG + i) + mixed;
        let bend = mu * z * size_of(i);
        let curvature = (1.0 - a * a) * (slope - 2.0 * a * bend);
        keep(LAYER + i, curvature + a * recall(BELOW + i));
        keep(Y + i, a * z);
        // Of Σ_j K₀j², twice.
        keep(CARRIED + i, 2.0 * mu * (1.0 - a * a) * z);
    }
    product(0.0, INPUT, 0u, 1u, D + 1u, D + 1u, width, LAYER);
    quadratic(INPUT, TURNED, GAMMA);
    if (WANTED == 1u) {
        storageBarrier();
        outer(lane, out, M, D + 1u, LAYER, S, 1u);
        storageBarrier();
        outer(lane, out, M, D + 1u, Y, GAMMA, 1u);
        outer(lane, out + OPENING_BIAS, M, 1u, LAYER, ONE, 1u);
        outer(lane, out + WEIGHTS, M, 1u, ZETA + LAYERS * M, ONE, 1u);
        outer(lane, out + LINEAR, D + 1u, 1u, GAMMA, ONE, 1u);
        outer(lane, out + QUADRATIC, RANK, D + 1u, TURNED, S, 1u);
        storageBarrier();
        outer(lane, out + QUADRATIC, RANK, D + 1u, STRETCHED, GAMMA, 1u);
        storageBarrier();
        let first = base - lane;
        for (var e = lane; e < M * D; e += 64u) {
            let i = e / D;
            let j = e % D;
            var sum = 0.0;
            for (var s = 0u; s < 64u; s++) {
                let straight = arena[first + (OPEN + i) * 64u + s] * arena[first + (BELOW + (j + 1u) * M + i) * 64u + s];
                sum += straight + arena[first + (CARRIED + i) * 64u + s] * opening(i, j);
            }
            arena[out + i * (D + 1u) + j] += sum;
        }
        for (var e = lane; e < RANK * D; e += 64u) {
            let at = (e / D) * (D + 1u) + e % D;
            var sum = 0.0;
            for (var s = 0u; s < 64u; s++) {
                sum += arena[first + MU * 64u + s];
            }
            arena[out + QUADRATIC + at] += 2.0 * sum * at_theta(QUADRATIC + at);
        }
        storageBarrier();
    }
}

// The way there and, where a gradient is wanted, back: the end, or the adjoint of the start, is left in STATE. One loop, so that
// compilers see one evaluation.
fn travel(lane: u32, row: u32, real: f32, out: u32) {
    for (var c = 0u; c < D + 3u; c++) {
        keep(STATE + c, select(0.0, at_x(row * D + min(c, D - 1u)), c < D));
        keep(SLOPE + c, 0.0);
    }
    for (var turn = 0u; turn < PASSES; turn++) {
        let there = turn < STAGES;
        let k = select(2u * STAGES - 1u - turn, turn, there);
        if (turn == STAGES) {
            for (var c = 0u; c < D + 3u; c++) {
                keep(STATE + c, real * (at_offset(row * (D + 3u) + c) + at_slope(c) * recall(STATE + c)));
            }
            for (var c = 0u; c < D; c++) {
                keep(BEGUN + c, recall(STATE + c));
                keep(INPUT + c, 0.0);
            }
        }
        for (var c = 0u; c < D; c++) {
            if (there) {
                if (k % 4u == 0u) {
                    keep(BEGUN + c, recall(STATE + c));
                }
                keep(POINTS + k * D + c, recall(BEGUN + c) + lead(k) * recall(SLOPE + c));
            }
            keep(S + c, recall(POINTS + k * D + c));
        }
        keep(S + D, time(k));
        let laplacian = evaluate();
        let residual = 0.5 * ALPHA * speed() - recall(GRADIENT + D);
        if (there) {
            for (var c = 0u; c < D; c++) {
                keep(SLOPE + c, -recall(GRADIENT + c) / ALPHA);
            }
            keep(SLOPE + D, -laplacian / ALPHA);
            keep(SLOPE + D + 1u, 0.5 * speed());
            keep(SLOPE + D + 2u, abs(residual));
            for (var c = 0u; c < D + 3u; c++) {
                keep(STATE + c, recall(STATE + c) + weight(k) * recall(SLOPE + c));
            }
        } else {
            let rho = weight(k) * recall(STATE + D + 2u) * sign_(residual);
            let motion = weight(k) * recall(STATE + D + 1u) + ALPHA * rho;
            // Of the stage after: its point moved with this slope.
            let after = select(lead(min(k + 1u, STAGES - 1u)), 0.0, k % 4u == 3u);
            for (var c = 0u; c < D; c++) {
                let slope = weight(k) * recall(BEGUN + c) + after * recall(INPUT + c);
                keep(GAMMA + c, -(slope - motion * recall(GRADIENT + c) / ALPHA) / ALPHA);
            }
            keep(GAMMA + D, -rho);
            keep(MU, -weight(k) * recall(STATE + D) / ALPHA);
            pull(lane, out);
            for (var c = 0u; c < D; c++) {
                keep(STATE + c, recall(STATE + c) + recall(INPUT + c));
                if (k % 4u == 0u) {
                    keep(BEGUN + c, recall(STATE + c));
                }
            }
        }
    }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    width = M + clock[3];
    base = SCRATCH + group.x * SLOTS * 64u + lane;
    let out = OUT + group.x * PARAMETERS;
    if (WANTED == 1u) {
        for (var e = lane; e < PARAMETERS; e += 64u) {
            arena[out + e] = 0.0;
        }
        keep(ONE, 1.0);
        storageBarrier();
    }
    for (var block = group.x; block * 64u < N; block += GROUPS) {
        let i = block * 64u + lane;
        let row = min(i, N - 1u);
        travel(lane, row, select(0.0, 1.0, i < N), out);
        if (WANTED != 1u && i < N) {
            let columns = select(D, D + 3u, WANTED == 0u);
            for (var c = 0u; c < columns; c++) {
                arena[OUT + i * columns + c] = recall(STATE + c);
            }
        }
    }
}
