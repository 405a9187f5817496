// Median of all pairwise squared distances, the zero diagonal included; the twin of `src/kernels/median.rs`.
//
// Radix selection on the bits of non-negative floats, eight at a time: four histograms over all n² pairs, then one pass for
// the successor, since an even count averages the middle two. One workgroup.
// Composed around it: constants N D OUT and fn at_x(e).

var<workgroup> histogram: array<atomic<u32>, 256>;
var<workgroup> found: vec2<u32>;
var<workgroup> above: atomic<u32>;
var<workgroup> below_or_equal: atomic<u32>;

fn distance_bits(pair: u32) -> u32 {
    let i = pair / N;
    let j = pair % N;
    var r2 = 0.0;
    for (var a = 0u; a < D; a++) {
        let difference = at_x(i * D + a) - at_x(j * D + a);
        r2 += difference * difference;
    }
    return bitcast<u32>(r2);
}

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32) {
    let total = N * N;
    if (lane == 0u) {
        // The prefix of the lower middle value, and its rank among those that share the prefix.
        found = vec2<u32>(0u, (total - 1u) / 2u);
        atomicStore(&above, 0xffffffffu);
        atomicStore(&below_or_equal, 0u);
    }
    for (var level = 0u; level < 4u; level++) {
        let shift = 24u - 8u * level;
        atomicStore(&histogram[lane], 0u);
        workgroupBarrier();
        let prefix = found.x;
        for (var pair = lane; pair < total; pair += 256u) {
            let bits = distance_bits(pair);
            // At the first level every value shares the empty prefix; a shift by 32 is not defined.
            if (level == 0u || (bits >> min(shift + 8u, 31u)) == (prefix >> min(shift + 8u, 31u))) {
                atomicAdd(&histogram[(bits >> shift) & 255u], 1u);
            }
        }
        workgroupBarrier();
        if (lane == 0u) {
            var rank = found.y;
            var bin = 0u;
            for (; bin < 255u; bin++) {
                let members = atomicLoad(&histogram[bin]);
                if (rank < members) {
                    break;
                }
                rank -= members;
            }
            found = vec2<u32>(prefix | (bin << shift), rank);
        }
        workgroupBarrier();
    }
    let lower = found.x;
    for (var pair = lane; pair < total; pair += 256u) {
        let bits = distance_bits(pair);
        if (bits <= lower) {
            atomicAdd(&below_or_equal, 1u);
        } else {
            atomicMin(&above, bits);
        }
    }
    workgroupBarrier();
    if (lane == 0u) {
        let single = (total & 1u) == 1u || atomicLoad(&below_or_equal) > total / 2u;
        let upper = select(atomicLoad(&above), lower, single);
        arena[OUT] = 0.5 * (bitcast<f32>(lower) + bitcast<f32>(upper));
    }
}
