using System.Runtime.CompilerServices;

namespace Graphene;

/// <content>Random numbers as functions of a state.</content>
public sealed partial class Graph
{
    /// <summary>Numbers from 0 up to but not including 1; see <see cref="RandomNumberComposites.RandomUniform"/>.</summary>
    /// <param name="state">u64[2], a key and a counter: usually the read of a variable.</param>
    /// <param name="shape">The shape, which may be symbolic.</param>
    /// <param name="type">The floating element type.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    /// <returns>The state to go on with (usually assigned to that variable), and the numbers.</returns>
    public (Tensor State, Tensor Values) RandomUniform(
        Tensor state, Shape shape, DType type = DType.F32, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Random(state, (b, s) => b.RandomUniform(s, new TensorType(type, shape)), file, line);

    /// <summary>Numbers of the normal distribution with mean 0 and deviation 1.</summary>
    /// <inheritdoc cref="RandomUniform(Tensor, Shape, DType, string, int)"/>
    public (Tensor State, Tensor Values) RandomNormal(
        Tensor state, Shape shape, DType type = DType.F32, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Random(state, (b, s) => b.RandomNormal(s, new TensorType(type, shape)), file, line);

    private (Tensor State, Tensor Values) Random(
        Tensor state, Func<GraphBuilder, Node, (Node State, Node Values)> build, string file, int line)
    {
        Node[] both = Build(new CallSite(file, line), [state], (b, x) =>
        {
            (Node next, Node values) = build(b, x[0]);
            return [next, values];
        });
        return (Wrap(both[0]), Wrap(both[1]));
    }
}
