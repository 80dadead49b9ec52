using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace Graphene;

/// <summary>A function of the IR: parameters, results, and effects that happen in order. It captures nothing.</summary>
/// <remarks>Equal when the canonical texts are, whatever the names; so ops that carry a computation compare by value.</remarks>
public sealed class Computation : IEquatable<Computation>
{
    private string? _key;
    private string? _digest;

    internal Computation(
        string name, ImmutableArray<Node> parameters, ImmutableArray<Node> results, ImmutableArray<Node> effects)
    {
        Name = name;
        Parameters = parameters;
        Results = results;
        Effects = effects;
        NestingDepth = 1 + PostOrder().SelectMany(n => n.Op.Computations).Select(c => c.NestingDepth).DefaultIfEmpty().Max();
    }

    /// <summary>1 for a computation that carries no others, one more than the deepest it carries otherwise.</summary>
    public int NestingDepth { get; }

    /// <summary>A name for dumps; it is not part of equality.</summary>
    public string Name { get; }

    /// <summary>The parameter nodes, parameter i at place i, used or not.</summary>
    public ImmutableArray<Node> Parameters { get; }

    /// <summary>The values that are returned.</summary>
    public ImmutableArray<Node> Results { get; }

    /// <summary>Nodes that run for their effect, in this order.</summary>
    public ImmutableArray<Node> Effects { get; }

    /// <summary>The types of the parameters.</summary>
    public ImmutableArray<TensorType> ParameterTypes => [.. Parameters.Select(p => p.Type)];

    /// <summary>The types of the results.</summary>
    public ImmutableArray<TensorType> ResultTypes => [.. Results.Select(r => r.Type)];

    /// <summary>All nodes that results and effects need, and all parameters; operands before users.</summary>
    public IReadOnlyList<Node> PostOrder() => Traversal.PostOrder([.. Parameters, .. Effects, .. Results]);

    /// <inheritdoc/>
    public bool Equals(Computation? other) =>
        ReferenceEquals(this, other) || (other is not null && StructuralKey == other.StructuralKey);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Computation);

    /// <inheritdoc/>
    public override int GetHashCode() => string.GetHashCode(StructuralKey, StringComparison.Ordinal);

    /// <summary>The canonical text without names: equal keys mean equal computations.</summary>
    public string StructuralKey => _key ??= Printer.PrintStructure(this);

    /// <summary>A digest of <see cref="StructuralKey"/>: keys that hold digests of nested ones do not grow with depth.</summary>
    internal string StructuralDigest => _digest ??= Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(StructuralKey)));

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Name}({string.Join(", ", ParameterTypes)}) -> ({string.Join(", ", ResultTypes)})";
}
