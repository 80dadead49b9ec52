using Graphene.Optimizer;

namespace Graphene.Tests.Optimizer;

/// <summary>Loops as recurrent layers have them, in modules of several.</summary>
internal static class LoopPairs
{
    /// <summary>The width of a state.</summary>
    public const int Width = 64;

    /// <summary>The type of a state, and of one step of the sequence.</summary>
    public static TensorType State { get; } = new(DType.F32, Shape.Of(4, Width));

    /// <summary>A matrix of weights: whole numbers, so that the order of sums does not matter.</summary>
    public static Literal Weights(int seed) => Whole(new TensorType(DType.F32, Shape.Of(Width, Width)), seed);

    /// <summary>Small whole numbers.</summary>
    public static Literal Whole(TensorType type, int seed)
    {
        var random = new Random(seed);
        return Literal.Generate(type, _ => Scalar.FromDouble(type.DType, random.Next(-2, 3)));
    }

    /// <summary>
    /// One direction: state = clamp(state . weights + step t of the sequence), all states stored. Gives them and the
    /// last one.
    /// </summary>
    /// <param name="b">The builder.</param>
    /// <param name="sequence">[time, 4, Width].</param>
    /// <param name="start">The first state.</param>
    /// <param name="seed">Chooses the weights.</param>
    /// <param name="backwards">From the last step to the first.</param>
    /// <param name="rounds">How many; the length of the sequence when null.</param>
    /// <param name="inRound">Something to do besides with the state.</param>
    /// <param name="change">Changes the state before it is limited.</param>
    public static Node[] Direction(
        GraphBuilder b, Node sequence, Node start, int seed, bool backwards = false, Dim? rounds = null,
        Action<GraphBuilder, Node, List<Node>>? inRound = null, Func<GraphBuilder, Node, Node>? change = null)
    {
        Dim time = sequence.Shape[0];
        Node[] initial = [b.Constant(DType.I32, 0), b.Splat(DType.F32, sequence.Shape, 0), start, sequence];
        TensorType[] types = [.. initial.Select(n => n.Type)];
        var c = new GraphBuilder();
        Node[] state = [.. types.Select((t, i) => c.Parameter(i, t))];
        Node end = c.Convert(c.DimValue(rounds ?? time), DType.I32);
        Computation condition = c.Build("more", [c.Less(state[0], end)]);
        var body = new GraphBuilder();
        Node[] p = [.. types.Select((t, i) => body.Parameter(i, t))];
        Node last = body.Convert(body.DimValue(time - 1), DType.I32);
        Node at = backwards ? body.Subtract(last, p[0]) : p[0];
        Node zero = body.Constant(DType.I32, 0);
        Node step = body.Reshape(body.DynamicSlice(p[3], [at, zero, zero], [1, 4, Width]), State.Shape);
        Node sum = body.Add(body.Dot(p[2], body.Constant(Weights(seed))), step);
        sum = change?.Invoke(body, sum) ?? sum;
        Node next = body.Maximum(body.Minimum(sum, body.Like(sum, 8)), body.Like(sum, -8));
        var effects = new List<Node>();
        inRound?.Invoke(body, next, effects);
        Node stored = body.DynamicUpdateSlice(p[1], body.Reshape(next, Shape.Of(1, 4, Width)), [at, zero, zero]);
        Node count = body.Add(p[0], body.Constant(DType.I32, 1));
        Node[] results = b.While(initial, condition, body.Build("step", [count, stored, next, p[3]], effects));
        return [results[1], results[2]];
    }

    /// <summary>The loops of a plan, inner ones too.</summary>
    public static IEnumerable<WhileStep> LoopsOf(ComputationPlan plan) => plan.Steps.SelectMany(step => step switch
    {
        WhileStep loop => [loop, .. LoopsOf(loop.Body)],
        BranchStep branch => branch.Branches.SelectMany(LoopsOf),
        _ => (IEnumerable<WhileStep>)[],
    });
}
