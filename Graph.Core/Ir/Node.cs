using System.Collections.Immutable;

namespace Graphene;

/// <summary>One operation in a computation: an op applied to operands. Immutable, interned by its builder.</summary>
public sealed class Node
{
    internal Node(int id, Op op, ImmutableArray<Node> operands, ImmutableArray<TensorType> types)
    {
        Id = id;
        Op = op;
        Operands = operands;
        Types = types;
    }

    /// <summary>The order of creation within its builder; operands always have smaller ids.</summary>
    public int Id { get; }

    /// <summary>What is done.</summary>
    public Op Op { get; }

    /// <summary>The values it is done to.</summary>
    public ImmutableArray<Node> Operands { get; }

    /// <summary>The types of the results; most ops have one, effects have none.</summary>
    public ImmutableArray<TensorType> Types { get; }

    /// <summary>The type of the only result.</summary>
    /// <exception cref="InvalidOperationException">The node does not have exactly one result.</exception>
    public TensorType Type => Types.Length == 1
        ? Types[0]
        : throw new InvalidOperationException($"{Op.Name} has {Types.Length} results; take one with get_tuple_element");

    /// <summary>The shape of the only result.</summary>
    public Shape Shape => Type.Shape;

    /// <summary>The element type of the only result.</summary>
    public DType DType => Type.DType;

    /// <summary>The rank of the only result.</summary>
    public int Rank => Type.Rank;

    /// <summary>Where the node comes from; see <see cref="ProvenanceTable"/>.</summary>
    internal Provenance[] Origins { get; set; } = [];

    /// <inheritdoc/>
    public override string ToString() => $"%{Id} = {string.Join(", ", Types)} {Op.Name}";
}
