namespace Graphene.Codegen;

/// <summary>How a product is computed.</summary>
/// <param name="Unit">By what.</param>
/// <param name="Tile">In what sizes.</param>
/// <param name="Parts">How many tasks share the sums of a tile, each a part of k; 1 for whole sums.</param>
/// <param name="Streams">
/// How many tasks share all tiles times k evenly, see <see cref="StreamedTiles"/>; 0 where each tile has
/// tasks of its own.
/// </param>
internal sealed record ProductPlan(ProductUnit Unit, ProductTile Tile, int Parts = 1, int Streams = 0);
