using System.Runtime.CompilerServices;

namespace Graphene;

/// <content>Functions of one element applied to many at once.</content>
public sealed partial class Graph
{
    /// <summary>
    /// Applies a function to each element along the first dimension of some tensors, as one computation: products become batched
    /// products, not loops.
    /// </summary>
    /// <param name="function">Builds the results from one element of each input. Other tensors that it uses are the same for all.</param>
    /// <param name="inputs">Tensors with first dimensions of one size.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    /// <returns>The results, with a first dimension that counts the elements.</returns>
    /// <exception cref="GraphException">
    /// GR1005: an input is a scalar, or there is none. GR1004: sizes differ. GR1606: the function has an effect.
    /// </exception>
    public Tensor[] VectorizedMap(
        Func<Tensor[], Tensor[]> function,
        IReadOnlyList<Tensor> inputs,
        [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0)
    {
        var site = new CallSite(file, line);
        GraphBuilder b = Enter(site);
        Frame outer = Current;
        Node[] operands = [.. inputs.Select(outer.Import)];
        OpSite here = b.Site("vectorized_map", operands);
        here.Require(
            operands.Length > 0 && operands.All(o => o.Rank > 0), DiagnosticId.RankMismatch,
            $"maps over the first dimension of its inputs: there must be inputs, and none a scalar");
        Dim size = operands[0].Shape[0];
        here.Require(
            operands.All(o => here.CanBeEqual(size, o.Shape[0])), DiagnosticId.ShapeMismatch,
            $"the first dimensions of the inputs differ");
        IEnumerable<TensorType> elements = operands.Select(o => new TensorType(o.DType, o.Shape.Without([0])));
        (Frame body, Node[] results) = Body(site, outer, elements, function);
        Enter(site);
        if (body.Effects.Count > 0 || body.State.Count > 0)
        {
            throw new GraphException(
                DiagnosticId.EffectInMap, "vectorized map: the function assigns a variable, prints or asserts",
                $"built in {b.CurrentOrigin}",
                "it is applied to all elements at once, so that effects would have no order", "do that outside of the mapped function");
        }
        FrameInput[] captured = [.. body.Captured];
        Computation computation = body.Close("element", captured, results);
        Node[] arguments = [.. operands, .. captured.Select(outer.ValueOf)];
        bool[] isMapped = [.. arguments.Select((_, i) => i < operands.Length)];
        (Node[] values, bool[] mapped) = VectorizedComputation.Apply(b, computation, arguments, isMapped, size);
        return [.. values.Select((v, i) => Wrap(mapped[i] ? v : b.Repeated(v, size)))];
    }

    /// <summary>As the other VectorizedMap, for one input and one result.</summary>
    public Tensor VectorizedMap(
        Func<Tensor, Tensor> function, Tensor input, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        VectorizedMap(p => [function(p[0])], [input], file, line)[0];
}
