namespace Graphene.Codegen;

/// <summary>What was measured for one product.</summary>
/// <param name="Key">The product.</param>
/// <param name="Plan">The fastest way to compute it, in the words of <see cref="ProductPlanText"/>.</param>
/// <param name="Microseconds">How long it took.</param>
/// <param name="Tried">How many ways were measured.</param>
internal sealed record TunedProduct(ProductKey Key, string Plan, double Microseconds, int Tried);
