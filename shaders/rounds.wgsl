// Counts rounds of two nested loops whose lengths no compiler knows.

@group(0) @binding(0) var<storage, read_write> sides: array<u32, 2>;

@compute @workgroup_size(1)
fn main() {
    let outer = sides[0];
    let inner = sides[1];
    var rounds = 0u;
    for (var i = 0u; i < outer; i++) {
        for (var j = 0u; j < inner; j++) {
            // The last term is 0, which no compiler knows: what is counted has no closed form.
            rounds += 1u + (((i * j) ^ rounds) & outer & 0x80000000u);
        }
    }
    sides[0] = rounds;
}
