namespace Graphene.Codegen;

/// <summary>How a product is computed.</summary>
/// <param name="Unit">By what.</param>
/// <param name="Tile">In what sizes.</param>
/// <param name="Parts">How many tasks share the sums of a tile, each a part of k; 1 for whole sums.</param>
internal sealed record ProductPlan(ProductUnit Unit, ProductTile Tile, int Parts = 1);
