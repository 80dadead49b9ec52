using System.Text.Json;

namespace Graphene.Codegen;

/// <summary>Writes records of measured products as JSON.</summary>
internal static class ProductTuningWriter
{
    private const int DigitsOfTimes = 3;

    /// <summary>What a record calls itself.</summary>
    public const string Format = "graphene product tuning";

    /// <summary>The version; a record of another one is refused.</summary>
    public const int Version = 1;

    /// <summary>The text.</summary>
    public static string Write(ProductTuning tuning) => JsonText.Of(json =>
    {
        json.WriteString("format", Format);
        json.WriteNumber("version", Version);
        json.WriteObjects("products", tuning.Products, product => Write(json, product));
    });

    private static void Write(Utf8JsonWriter json, TunedProduct product)
    {
        ProductKey key = product.Key;
        json.WriteString("gpu", key.Gpu);
        json.WriteNumber("multiprocessors", key.Multiprocessors);
        json.WriteNumber("batch", key.Batch);
        json.WriteNumber("rows", key.Rows);
        json.WriteNumber("columns", key.Columns);
        json.WriteNumber("depth", key.Depth);
        json.WriteString("left", key.Left);
        json.WriteString("right", key.Right);
        json.WriteString("sum", key.Sum);
        json.WriteString("epilogue", key.Epilogue);
        json.WriteString("plan", product.Plan);
        json.WriteNumber("microseconds", Math.Round(product.Microseconds, DigitsOfTimes));
        json.WriteNumber("tried", product.Tried);
    }
}
