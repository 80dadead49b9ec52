using Graphene.Interop.Onnx.Schema;

namespace Graphene.Interop.Onnx.Importing;

/// <summary>Finds the sizes of a model's symbolic dimensions in the inputs it is to run on.</summary>
internal static class SymbolBinding
{
    /// <summary>The sizes, those that the options fix included.</summary>
    /// <exception cref="GraphException">GR4013: two inputs give one dimension different sizes.</exception>
    public static Dictionary<string, long> Bind(
        OnnxModelFile file, IReadOnlyDictionary<string, Literal> inputs, OnnxImportOptions options)
    {
        var sizes = new Dictionary<string, long>(options.Dims, StringComparer.Ordinal);
        var stored = new HashSet<string>(ModelImporter.StoredNames(file.Model.Graph), StringComparer.Ordinal);
        var reader = new ModelInputs(options);
        foreach (ValueInfoProto info in file.Model.Graph.Input.Where(i => !stored.Contains(i.Name)))
        {
            OnnxPort port = reader.Read(info);
            if (!inputs.TryGetValue(port.Name, out Literal? value) || value.Type.Rank != port.Type.Rank)
            {
                continue;
            }
            for (int axis = 0; axis < port.Type.Rank; axis++)
            {
                if (port.Type.Shape[axis].AsSymbol is { } symbol)
                {
                    Bind(sizes, symbol.Name, value.Shape[axis].Value, port.Name);
                }
            }
        }
        return sizes;
    }

    private static void Bind(Dictionary<string, long> sizes, string symbol, long size, string input)
    {
        if (!sizes.TryAdd(symbol, size) && sizes[symbol] != size)
        {
            throw new GraphException(
                OnnxDiagnosticIds.BadDimension, $"onnx: dimension '{symbol}' is both {sizes[symbol]} and {size}",
                $"input '{GraphOrder.Shorten(input)}'", "one name stands for one size", "feed inputs of matching sizes");
        }
    }
}
