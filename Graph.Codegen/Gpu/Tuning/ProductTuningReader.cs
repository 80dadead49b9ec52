using System.Text.Json;

namespace Graphene.Codegen;

/// <summary>
/// Reads records of measured products. Nothing in them is trusted: sizes, types and counts are checked, and what
/// is unknown is refused.
/// </summary>
internal static class ProductTuningReader
{
    private const long MostBytes = 16 << 20;
    private const int MostProducts = 100_000;
    private const int LongestText = 200;

    /// <summary>Reads a file.</summary>
    public static ProductTuning Read(string path)
    {
        try
        {
            var file = new FileInfo(path);
            if (file.Exists && file.Length > MostBytes)
            {
                throw Bad(path, $"it has {file.Length} bytes, a record has at most {MostBytes}");
            }
            return Parse(File.ReadAllText(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Bad(path, e.Message);
        }
    }

    /// <summary>Reads text.</summary>
    public static ProductTuning Parse(string json, string? where)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 8 });
            return new Record(where).Read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            // The latter two are for texts that are no Unicode.
            throw Bad(where, $"it is no JSON: {e.Message}");
        }
    }

    private static GraphException Bad(string? where, string problem) => new(
        CodegenDiagnostics.BadTuning, $"tuning record cannot be used: {problem}", where: where,
        fix: "measure again with `graphene tune`");

    private sealed class Record(string? where)
    {
        private int _entry;

        public ProductTuning Read(JsonElement root)
        {
            Require(root.ValueKind == JsonValueKind.Object, "it is no object");
            Require(
                root.TryGetProperty("format", out JsonElement format) && format.ValueKind == JsonValueKind.String &&
                format.ValueEquals(ProductTuningWriter.Format), $"it does not say \"format\": \"{ProductTuningWriter.Format}\"");
            Require(
                root.TryGetProperty("version", out JsonElement version) && version.ValueKind == JsonValueKind.Number &&
                version.TryGetInt32(out int number) && number == ProductTuningWriter.Version,
                $"it is of another version than {ProductTuningWriter.Version}");
            Require(
                root.TryGetProperty("products", out JsonElement list) && list.ValueKind == JsonValueKind.Array,
                "it has no list of products");
            Require(list.GetArrayLength() <= MostProducts, $"it has more than {MostProducts} products");
            var products = new Dictionary<ProductKey, TunedProduct>();
            foreach (JsonElement element in list.EnumerateArray())
            {
                _entry++;
                TunedProduct product = Product(element);
                Require(products.TryAdd(product.Key, product), "names a product for the second time");
            }
            return new ProductTuning(products.Values, where);
        }

        private TunedProduct Product(JsonElement element)
        {
            Require(element.ValueKind == JsonValueKind.Object, "is no object");
            var fields = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
            foreach (JsonProperty property in element.EnumerateObject())
            {
                Require(fields.TryAdd(property.Name, property.Value), $"has '{Shortened(property.Name)}' twice");
            }
            var key = new ProductKey(
                Text("gpu"), (int)Number("multiprocessors", int.MaxValue), Text("left"), Text("right"), Text("sum"), Text("epilogue"),
                Number("batch"), Number("rows"), Number("columns"), Number("depth"));
            string plan = Text("plan");
            JsonElement time = Take("microseconds");
            Require(
                time.ValueKind == JsonValueKind.Number && time.TryGetDouble(out double microseconds) &&
                    double.IsFinite(microseconds) && microseconds >= 0,
                "has no time in 'microseconds'");
            var product = new TunedProduct(key, plan, time.GetDouble(), (int)Number("tried", int.MaxValue));
            Require(fields.Count == 0, $"has '{Shortened(fields.Keys.FirstOrDefault() ?? "")}', which this version does not know");
            return product;

            JsonElement Take(string name)
            {
                Require(fields.Remove(name, out JsonElement value), $"has no '{name}'");
                return value;
            }

            string Text(string name)
            {
                JsonElement value = Take(name);
                Require(value.ValueKind == JsonValueKind.String, $"has no text in '{name}'");
                string text = value.GetString()!;
                Require(text.Length <= LongestText && !text.Any(char.IsControl), $"has a text in '{name}' that cannot be one");
                return text;
            }

            long Number(string name, long most = long.MaxValue)
            {
                JsonElement value = Take(name);
                long number = 0;
                Require(
                    value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out number) && number >= 0 && number <= most,
                    $"has no count in '{name}'");
                return number;
            }
        }

        private static string Shortened(string text) => text.Length <= 40 ? text : text[..40] + "...";

        private void Require(bool holds, string problem)
        {
            if (!holds)
            {
                throw Bad(where, _entry == 0 ? problem : $"product {_entry} {problem}");
            }
        }
    }
}
