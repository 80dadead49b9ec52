using static Graphene.Interop.Onnx.Exporting.Attributes;

namespace Graphene.Interop.Onnx.Exporting;

/// <summary>Writes symbolic dims as arithmetic on the shapes of inputs: vectors of one i64.</summary>
/// <param name="graph">The outermost graph; dims depend on its inputs only.</param>
/// <param name="sources">The input, and the dimension of it, that is a symbol.</param>
internal sealed class DimWriter(GraphWriter graph, IReadOnlyDictionary<DimSymbol, (string Input, int Axis)> sources)
    : DimVisitor<string>
{
    /// <summary>A shape as a vector of i64.</summary>
    public string Shape(IEnumerable<Dim> dims)
    {
        Dim[] all = [.. dims];
        if (Array.TrueForAll(all, d => d.IsStatic))
        {
            return graph.Ints(all.Select(d => d.Value));
        }
        return all.Length == 1 ? Visit(all[0]) : graph.Add("Concat", [.. all.Select(Visit)], Int("axis", 0));
    }

    /// <summary>A dim as an i64 scalar.</summary>
    public string Scalar(Dim dim) => dim.IsStatic
        ? graph.Number(DType.I64, dim.Value)
        : graph.Add("Squeeze", [Visit(dim), graph.Ints(0)]);

    protected override string Number(long value) => graph.Ints(value);

    protected override string Symbol(DimSymbol symbol) => sources.TryGetValue(symbol, out (string Input, int Axis) source)
        ? graph.Add("Shape", [source.Input], Int("start", source.Axis), Int("end", source.Axis + 1))
        : throw new NoOnnxFormException(
            $"dimension '{symbol.Name}' is needed as a number, and is no input's dimension by itself");

    protected override string Add(string left, string right) => graph.Add("Add", [left, right]);

    protected override string Multiply(string left, string right) => graph.Add("Mul", [left, right]);

    // ONNX divides towards zero; what a division leaves is taken off before.
    protected override string FloorDiv(string left, string right) =>
        graph.Add("Div", [graph.Add("Sub", [left, graph.Add("Mod", [left, right])]), right]);

    protected override string Max(string left, string right) => graph.Add("Max", [left, right]);

    protected override string Min(string left, string right) => graph.Add("Min", [left, right]);
}
