namespace Graphene;

/// <summary>Random numbers of distributions, from the bits of <see cref="RngBitGeneratorOp"/>.</summary>
/// <remarks>
/// Pure functions: a state goes in, numbers and the state to go on with come out. Equal states give equal bits on every back end
/// and for any number of threads.
/// </remarks>
public static class RandomNumberComposites
{
    /// <summary>Numbers from 0 up to but not including 1, all multiples of 2^-24 (f64: 2^-53) equally likely.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="state">u64[2], a key and a counter.</param>
    /// <param name="type">The floating type of the numbers; f16 and bf16 are rounded from f32, so 1 may occur.</param>
    /// <returns>The state to go on with, and the numbers.</returns>
    public static (Node State, Node Values) RandomUniform(this GraphBuilder b, Node state, TensorType type)
    {
        b.Site("random_uniform", state).Require(
            type.DType.IsFloating(), DiagnosticId.DTypeNotAccepted, $"there are no random numbers of type {type.DType.Name()}",
            why: "the numbers lie between 0 and 1", fix: "make floating numbers, scale and convert them");
        bool wide = type.DType == DType.F64;
        DType word = wide ? DType.U64 : DType.U32;
        (Node next, Node bits) = b.RngBitGenerator(state, new TensorType(word, type.Shape));

        // The upper bits as an integer that the floating type holds exactly, times the distance of neighbours.
        Node upper = b.ShiftRightLogical(bits, b.Splat(word, type.Shape, wide ? 11 : 8));
        Node number = b.Convert(upper, wide ? DType.F64 : DType.F32);
        Node scaled = b.Multiply(number, b.Like(number, wide ? Math.ScaleB(1, -53) : Math.ScaleB(1, -24)));
        return (next, b.Convert(scaled, type.DType));
    }

    /// <summary>Numbers of the normal distribution with mean 0 and deviation 1.</summary>
    /// <remarks>Box and Muller, "A note on the generation of random normal deviates", 1958; two words for each number.</remarks>
    /// <param name="b">The builder.</param>
    /// <param name="state">u64[2], a key and a counter.</param>
    /// <param name="type">The floating type of the numbers; f16 and bf16 are rounded from f32.</param>
    /// <returns>The state to go on with, and the numbers.</returns>
    public static (Node State, Node Values) RandomNormal(this GraphBuilder b, Node state, TensorType type)
    {
        TensorType computed = type.DType is DType.F16 or DType.BF16 ? type with { DType = DType.F32 } : type;
        (Node between, Node first) = b.RandomUniform(state, computed);
        (Node next, Node second) = b.RandomUniform(between, computed);
        Node radius = b.SquareRoot(b.Multiply(b.LogPlusOne(b.Negate(first)), b.Like(first, -2))); // 1 - first is never 0
        Node angle = b.Multiply(second, b.Like(second, 2 * Math.PI));
        return (next, b.Convert(b.Multiply(radius, b.Cosine(angle)), type.DType));
    }
}
