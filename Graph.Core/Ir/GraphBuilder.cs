using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Graphene;

/// <summary>Makes nodes. Equal op and operands give the same node, so common subexpressions merge on construction.</summary>
/// <remarks>One builder per computation; nodes of different builders must not meet. Not thread-safe.</remarks>
/// <param name="provenance">The table that records where nodes come from; a new one by default.</param>
public sealed class GraphBuilder(ProvenanceTable? provenance = null)
{
    // Whatever walks into nested computations may recurse; this keeps it far from the end of the stack.
    private const int DeepestNesting = 100;

    private readonly Dictionary<NodeKey, Node> _interned = [];
    private readonly SortedDictionary<int, Node> _parameters = [];
    private int _nextId;

    /// <summary>The table that records where nodes come from.</summary>
    public ProvenanceTable Provenance { get; } = provenance ?? new ProvenanceTable();

    /// <summary>The origin given to nodes made from now on; also named in errors.</summary>
    public Provenance? CurrentOrigin { get; set; }

    /// <summary>The number of distinct nodes made so far.</summary>
    public int NodeCount => _nextId;

    /// <summary>Applies an op.</summary>
    /// <returns>The node: a new one, or the one that is there already.</returns>
    /// <exception cref="GraphException">The operands do not fit the op.</exception>
    public Node Add(Op op, params ReadOnlySpan<Node> operands) => Add(op, operands.ToImmutableArray());

    /// <summary>Applies an op.</summary>
    /// <returns>The node: a new one, or the one that is there already.</returns>
    /// <exception cref="GraphException">The operands do not fit the op.</exception>
    [OverloadResolutionPriority(1)]
    public Node Add(Op op, ImmutableArray<Node> operands)
    {
        if (op.HasSideEffects)
        {
            return Register(Create(op, operands)); // an effect happens as often as it is asked for
        }
        var key = new NodeKey(op, operands);
        if (!_interned.TryGetValue(key, out Node? node))
        {
            node = Create(op, operands);
            _interned.Add(key, node);
        }
        return Register(node);
    }

    /// <summary>Applies the op of a node, which may be another builder's, to other operands.</summary>
    /// <remarks>As <see cref="Add(Op, ImmutableArray{Node})"/>, but operands of the same types need no inference.</remarks>
    /// <param name="like">The node.</param>
    /// <param name="operands">What takes the place of its operands.</param>
    /// <returns>The node: a new one, or the one that is there already.</returns>
    /// <exception cref="GraphException">The operands do not fit the op.</exception>
    public Node AddLike(Node like, ImmutableArray<Node> operands)
    {
        Op op = like.Op;
        if (op.HasSideEffects || !HaveEqualTypes(like.Operands, operands))
        {
            return Add(op, operands);
        }
        var key = new NodeKey(op, operands);
        if (!_interned.TryGetValue(key, out Node? node))
        {
            node = new Node(_nextId++, op, operands, like.Types);
            _interned.Add(key, node);
        }
        return Register(node);
    }

    private static bool HaveEqualTypes(ImmutableArray<Node> before, ImmutableArray<Node> now)
    {
        bool same = before.Length == now.Length;
        for (int i = 0; same && i < now.Length; i++)
        {
            same = before[i].Types == now[i].Types || before[i].Types.SequenceEqual(now[i].Types);
        }
        return same;
    }

    private Node Create(Op op, ImmutableArray<Node> operands) =>
        new(_nextId++, op, operands, InferTypes(op, new OpSite(op, operands, this)));

    private Node Register(Node node)
    {
        if (CurrentOrigin is not null)
        {
            Provenance.Add(node, CurrentOrigin);
        }
        return node;
    }

    /// <summary>The parameter with a number; asking twice with one type gives the same node.</summary>
    /// <exception cref="InvalidOperationException">The number is taken by a parameter of another type.</exception>
    public Node Parameter(int number, TensorType type)
    {
        Node node = Add(new ParameterOp(number, type));
        if (!_parameters.TryAdd(number, node) && !ReferenceEquals(_parameters[number], node))
        {
            throw new InvalidOperationException($"parameter {number} has type {_parameters[number].Type}, not {type}");
        }
        return node;
    }

    /// <summary>Closes a computation over the parameters made so far.</summary>
    /// <param name="name">A name for dumps.</param>
    /// <param name="results">The values to return.</param>
    /// <param name="effects">Nodes that run for their effect, in order.</param>
    /// <exception cref="InvalidOperationException">The parameter numbers have gaps.</exception>
    /// <exception cref="GraphException">Computations are nested too deep.</exception>
    public Computation Build(string name, IEnumerable<Node> results, IEnumerable<Node>? effects = null)
    {
        if (_parameters.Count > 0 && _parameters.Keys.Last() != _parameters.Count - 1)
        {
            throw new InvalidOperationException(
                $"computation {name} has {_parameters.Count} parameters but its largest number is {_parameters.Keys.Last()}");
        }
        var computation = new Computation(name, [.. _parameters.Values], [.. results], [.. effects ?? []]);
        return computation.NestingDepth <= DeepestNesting
            ? computation
            : throw new GraphException(
                DiagnosticId.NestedTooDeep, $"computations are nested deeper than {DeepestNesting}", $"computation {name}",
                fix: "a loop of loops of that depth can be written as one loop with a counter");
    }

    private static ImmutableArray<TensorType> InferTypes(Op op, OpSite site)
    {
        try
        {
            return op.InferTypes(site);
        }
        catch (OverflowException)
        {
            throw site.Error(DiagnosticId.DimOverflow, "a dimension or element count does not fit into 64 bits");
        }
    }

    private readonly struct NodeKey(Op op, ImmutableArray<Node> operands) : IEquatable<NodeKey>
    {
        private readonly Op _op = op;
        private readonly ImmutableArray<Node> _operands = operands;

        public bool Equals(NodeKey other)
        {
            if (_operands.Length != other._operands.Length)
            {
                return false;
            }
            for (int i = 0; i < _operands.Length; i++)
            {
                if (!ReferenceEquals(_operands[i], other._operands[i]))
                {
                    return false;
                }
            }
            return _op.Equals(other._op);
        }

        public override bool Equals(object? obj) => obj is NodeKey other && Equals(other);

        public override int GetHashCode()
        {
            var hash = default(HashCode);
            hash.Add(_op);
            foreach (Node operand in _operands)
            {
                hash.Add(operand.Id);
            }
            return hash.ToHashCode();
        }
    }
}
