// Combines EXTENT entries, INNER apart, into each of the entries of the result; one workgroup an entry.
// Composed around it: constants EXTENT INNER OUT START, and fn element(i), fn combine(a, b).

var<workgroup> partial: array<f32, 128>;

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let entry = group.x + group.y * 65535u;
    if (entry < COUNT) {
        let base = (entry / INNER) * EXTENT * INNER + entry % INNER;
        var value = START;
        for (var k = lane; k < EXTENT; k += 128u) {
            value = combine(value, element(base + k * INNER));
        }
        partial[lane] = value;
    }
    for (var half = 64u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (lane < half) {
            partial[lane] = combine(partial[lane], partial[lane + half]);
        }
    }
    if (lane == 0u && entry < COUNT) {
        arena[OUT + entry] = partial[0];
    }
}
