namespace Graphene;

/// <summary>What the gradient with respect to something is that the result does not depend on.</summary>
public enum Unconnected
{
    /// <summary>An error: most often a mistake.</summary>
    Error,

    /// <summary>Zeros.</summary>
    Zero,
}
