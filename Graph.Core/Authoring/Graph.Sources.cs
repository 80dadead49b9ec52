using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Graphene;

/// <content>Where values come from: placeholders, constants, variables.</content>
public sealed partial class Graph
{
    /// <summary>A value that is fed when the graph runs.</summary>
    /// <param name="type">The element type.</param>
    /// <param name="shape">Numbers, and names or expressions for sizes that may vary: <c>["batch", 784]</c>.</param>
    /// <param name="name">The name to feed it by; made different from others with a suffix.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    public Tensor Placeholder(
        DType type, Shape shape, string name = "placeholder", [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Placeholder(new TensorType(type, shape), null, name, new CallSite(file, line));

    /// <summary>A value that may be fed, and otherwise is <paramref name="defaultValue"/>.</summary>
    /// <param name="defaultValue">The value when nothing is fed.</param>
    /// <param name="name">The name to feed it by.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    public Tensor PlaceholderWithDefault(
        Literal defaultValue, string name = "placeholder", [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Placeholder(defaultValue.Type, defaultValue, name, new CallSite(file, line));

    /// <summary>A tensor known now.</summary>
    public Tensor Constant(Literal value, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Wrap(Enter(new CallSite(file, line)).Constant(value));

    /// <summary>A scalar known now.</summary>
    public Tensor Constant<T>(T value, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
        where T : unmanaged => Constant(Literal.From([value]), file, line);

    /// <summary>A tensor known now: elements in row-major order and their shape.</summary>
    public Tensor Constant<T>(
        ReadOnlySpan<T> elements, ReadOnlySpan<long> shape, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
        where T : unmanaged => Constant(Literal.From(elements, shape), file, line);

    /// <summary>A vector known now.</summary>
    public Tensor Constant<T>(T[] elements, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
        where T : unmanaged => Constant(Literal.From<T>(elements, elements.Length), file, line);

    /// <summary>A matrix known now.</summary>
    public Tensor Constant<T>(T[,] elements, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
        where T : unmanaged => Constant(FromArray<T>(elements), file, line);

    /// <summary>A tensor of rank 3 known now.</summary>
    public Tensor Constant<T>(T[,,] elements, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
        where T : unmanaged => Constant(FromArray<T>(elements), file, line);

    /// <summary>A tensor of rank 4 known now.</summary>
    public Tensor Constant<T>(T[,,,] elements, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
        where T : unmanaged => Constant(FromArray<T>(elements), file, line);

    /// <summary>A number in every element of a shape, which may be symbolic; takes no memory.</summary>
    public Tensor Fill(
        DType type, Shape shape, double value, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Wrap(Enter(new CallSite(file, line)).Splat(type, shape, value));

    /// <summary>Zeros.</summary>
    public Tensor Zeros(DType type, Shape shape, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Fill(type, shape, 0, file, line);

    /// <summary>Ones.</summary>
    public Tensor Ones(DType type, Shape shape, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Fill(type, shape, 1, file, line);

    /// <summary><c>start, start + delta, ...</c>: so many numbers.</summary>
    public Tensor Range(
        DType type, Dim count, double start = 0, double delta = 1, [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0)
    {
        GraphBuilder b = Enter(new CallSite(file, line));
        return Wrap(b.Range(b.Constant(type, start), b.Constant(type, delta), count));
    }

    /// <summary>Ones on the diagonal, zeros elsewhere.</summary>
    public Tensor Eye(DType type, Dim size, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Wrap(Enter(new CallSite(file, line)).Eye(type, size, size));

    /// <summary>The value of a size as an i64 scalar, read when the graph runs if it is symbolic.</summary>
    public Tensor Size(Dim dim, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Wrap(Enter(new CallSite(file, line)).DimValue(dim));

    /// <summary>State that outlives runs: a session keeps its value, runs read and assign it.</summary>
    /// <param name="initialValue">The value before the first assignment; fixes element type and shape.</param>
    /// <param name="name">Its name, in checkpoints for example.</param>
    /// <param name="trainable">True when an optimizer may change it.</param>
    public Variable Variable(Literal initialValue, string name = "variable", bool trainable = true)
    {
        RequireNotTracing($"variable '{name}'", Current.Builder);
        var variable = new Variable(this, UniqueName(name), initialValue, trainable);
        _variables.Add(variable);
        return variable;
    }

    private Tensor Placeholder(TensorType type, Literal? defaultValue, string name, CallSite site)
    {
        GraphBuilder b = Enter(site);
        if (string.IsNullOrWhiteSpace(name))
        {
            throw new GraphException(
                DiagnosticId.BadName, "a placeholder needs a name", $"built in {b.CurrentOrigin}", fix: "pass a name that is not empty");
        }
        string unique = UniqueName(name);
        _root.Builder.CurrentOrigin = b.CurrentOrigin;
        var tensor = new Tensor(_root, _root.Builder.Add(new PlaceholderOp(unique, type, defaultValue)), unique);
        Register(unique, tensor);
        return tensor;
    }

    private static Literal FromArray<T>(Array elements)
        where T : unmanaged
    {
        var shape = new long[elements.Rank];
        for (int i = 0; i < shape.Length; i++)
        {
            shape[i] = elements.GetLength(i);
        }
        var flat = MemoryMarshal.CreateReadOnlySpan(
            ref Unsafe.As<byte, T>(ref MemoryMarshal.GetArrayDataReference(elements)), elements.Length);
        return Literal.From(flat, shape);
    }
}
