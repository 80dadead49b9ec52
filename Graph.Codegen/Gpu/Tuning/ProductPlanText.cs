using System.Globalization;

namespace Graphene.Codegen;

/// <summary>Ways to compute a product as people and tuning files name them.</summary>
internal static class ProductPlanText
{
    /// <summary>A plan in words: equal for equal plans, and different for different ones.</summary>
    public static string Of(ProductPlan plan)
    {
        ProductTile tile = plan.Tile;
        string shared = plan.Streams > 0 ? $", {plan.Streams} streams" : plan.Parts > 1 ? $", {plan.Parts} parts" : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{plan.Unit.ToString().ToLowerInvariant()} {tile.Rows}x{tile.Columns}x{tile.Depth}, "
                + $"warps {tile.WarpsDown}x{tile.WarpsAcross}, {tile.Stages} stages{shared}");
    }
}
