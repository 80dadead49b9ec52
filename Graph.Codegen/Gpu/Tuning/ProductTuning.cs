using System.Collections.Immutable;
using Graphene.Hashing;

namespace Graphene.Codegen;

/// <summary>
/// Which tiles of matrix products and convolutions were the fastest on a GPU, as measured before and written down: for those products
/// they take the place of what the model of the machine expects.
/// </summary>
/// <remarks>
/// Nothing is ever measured while a graph is compiled: a compilation depends on the graph, the target, the options and
/// this record alone. A record names ways to compute a product by words, which are looked up among those that the
/// compiler knows, so that no record can ask for what was not tested. Entries of other architectures, or of GPUs with
/// another number of multiprocessors, are left alone: one record can serve many GPUs. Immutable.
/// </remarks>
public sealed class ProductTuning
{
    private readonly ImmutableArray<TunedProduct> _products;
    private readonly Dictionary<ProductKey, TunedProduct> _byKey;

    internal ProductTuning(IEnumerable<TunedProduct> products, string? where = null)
    {
        _byKey = products.ToDictionary(p => p.Key);
        _products = [.. _byKey.Values.OrderBy(p => p.Key.Gpu, StringComparer.Ordinal).ThenBy(p => p.Key.Multiprocessors)
            .ThenBy(p => p.Key.ToString(), StringComparer.Ordinal)];
        Where = where;
    }

    /// <summary>How many products there are.</summary>
    public int Count => _products.Length;

    /// <summary>What files that differ in it may compile differently with: the choices, not the times.</summary>
    public string Fingerprint => Convert.ToHexStringLower(Blake3.Hash(System.Text.Encoding.UTF8.GetBytes(
        string.Join('\n', _products.Select(p => $"{p.Key.Gpu} {p.Key.Multiprocessors} {p.Key} {p.Plan}")))));

    internal ImmutableArray<TunedProduct> Products => _products;

    // The file that it was read from, for messages.
    internal string? Where { get; }

    /// <summary>Reads a record from a file, which <c>graphene tune</c> or <see cref="WriteFile"/> wrote.</summary>
    /// <param name="path">The file; not trusted.</param>
    /// <exception cref="GraphException">GR5080: it is no such record, or of another version.</exception>
    public static ProductTuning Read(string path) => ProductTuningReader.Read(path);

    /// <summary>Reads a record from text.</summary>
    /// <param name="json">The text; not trusted.</param>
    /// <param name="where">Where it is from, for messages.</param>
    /// <exception cref="GraphException">GR5080: it is no such record, or of another version.</exception>
    public static ProductTuning Parse(string json, string? where = null) => ProductTuningReader.Parse(json, where);

    /// <summary>The record as JSON, with an entry for each product in a fixed order: the same measurements give the same text.</summary>
    public string ToJson() => ProductTuningWriter.Write(this);

    /// <summary>Writes the record to a file, which appears complete or not at all.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void WriteFile(string path) => AtomicFile.Write(path, s => s.Write(System.Text.Encoding.UTF8.GetBytes(ToJson())));

    /// <summary>How many products there are for a GPU; the others are left alone.</summary>
    public int CountFor(GpuTarget gpu) => _products.Count(p => p.Key.Gpu == gpu.ToString() && p.Key.Multiprocessors == gpu.Multiprocessors);

    /// <summary>This record and a newer one, which says what is right where both name a product.</summary>
    public ProductTuning With(ProductTuning newer) =>
        new(_products.Where(p => !newer._byKey.ContainsKey(p.Key)).Concat(newer._products), Where);

    /// <summary>How a product is to be computed; null where the record does not name it.</summary>
    /// <exception cref="GraphException">GR5081: the compiler does not know the way that the record names.</exception>
    internal ProductPlan? Find(GpuProduct product, GpuTarget gpu)
    {
        if (!_byKey.TryGetValue(ProductKey.Of(product, gpu), out TunedProduct? tuned))
        {
            return null;
        }
        ProductKey key = tuned.Key;
        return ProductTileChoice.Candidates(product, gpu).FirstOrDefault(p => ProductPlanText.Of(p) == tuned.Plan)
            ?? throw new GraphException(
                CodegenDiagnostics.UnknownTile,
                $"tuning: a product of {key.Batch} x {key.Rows} x {key.Columns} x {key.Depth} cannot be computed by '{tuned.Plan}'",
                where: Where,
                why: "this compiler offers other tiles for it than the one that made the record, or the record was changed",
                fix: "measure again with `graphene tune`, or compile without the record");
    }
}
