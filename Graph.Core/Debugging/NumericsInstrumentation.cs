using System.Collections.Immutable;

namespace Graphene;

/// <summary>A place at which a value can stop being finite.</summary>
/// <param name="Node">The node of the module that was instrumented.</param>
/// <param name="Input">The name of an input that was fed NaN; null for what an op made.</param>
/// <param name="IsInBody">Whether the node stands in the body of a branch or loop.</param>
public sealed record NumericsSite(Node Node, string? Input, bool IsInBody);

/// <summary>A module that also says which op made the first value that is NaN or infinite.</summary>
/// <param name="Module">The module, with one more output: an i32 scalar, the number of the site or <see cref="None"/>.</param>
/// <param name="Sites">The sites, in the order of computation.</param>
public sealed record InstrumentedModule(Module Module, ImmutableArray<NumericsSite> Sites)
{
    /// <summary>The output's value when everything is finite.</summary>
    public const int None = int.MaxValue;
}

/// <summary>Adds the search for the first NaN or infinity to a module, before any pass can fuse what is to be found.</summary>
/// <remarks>
/// <para>
/// Each tensor gets a code: 0 when all elements are finite, 1 with an infinity, 2 with a NaN. An op is to blame when its result's
/// code is larger than those of its operands: it made what was not there. So masks of negative infinity pass, and the NaN that
/// comes of subtracting two of them is found. The first in the order of computation is reported.
/// </para>
/// <para>Loops carry the number of the first that was found; branches return it. Conditions of loops are not searched, nor are the
/// scalar bodies of reductions, whose results are.</para>
/// <code>
/// %1 = log(%p0)                 %1 = log(%p0)
/// return %1               =>    code(x) = max over elements of (x != x ? 2 : is_finite(x) ? 0 : 1)
///                               %9 = code(%1) > code(%p0) ? 1 : 2147483647
///                               return %1, min(%8, %9)
/// </code>
/// </remarks>
public static class NumericsInstrumentation
{
    private const string OutputName = "graphene.numerics";

    /// <summary>Instruments a module.</summary>
    public static InstrumentedModule Apply(Module module)
    {
        var sites = ImmutableArray.CreateBuilder<NumericsSite>();
        Computation entry = new Instrumenting(module, sites, isBody: false).Run(module.Entry, carriesFirst: false);
        return new InstrumentedModule(
            module with { Entry = entry, OutputNames = [.. module.OutputNames, OutputName] }, sites.ToImmutable());
    }

    /// <summary>One computation with the search in it.</summary>
    private sealed class Instrumenting(Module module, ImmutableArray<NumericsSite>.Builder sites, bool isBody)
    {
        private readonly GraphBuilder _b = new(module.Provenance);
        private readonly Dictionary<Node, Node> _copies = new(ReferenceEqualityComparer.Instance);
        private readonly Dictionary<Node, Node?> _codes = new(ReferenceEqualityComparer.Instance); // by copy; null: finite
        private readonly Dictionary<Node, Node> _effects = new(ReferenceEqualityComparer.Instance); // branches and loops themselves
        private Node? _first;

        public Computation Run(Computation computation, bool carriesFirst)
        {
            foreach (Node node in computation.PostOrder())
            {
                Node copy = Copy(node);
                module.Provenance.Inherit(copy, node);
                _copies.Add(node, copy);
                Check(node, copy);
            }
            Node none = _b.Constant(DType.I32, InstrumentedModule.None);
            Node first = _first ?? none;
            if (carriesFirst)
            {
                // An earlier round comes first.
                Node before = _b.Parameter(computation.Parameters.Length, TensorType.Scalar(DType.I32));
                first = _b.Select(_b.NotEqual(before, none), before, first);
            }
            return _b.Build(
                computation.Name, [.. computation.Results.Select(r => _copies[r]), first],
                computation.Effects.Select(e => _effects.GetValueOrDefault(e) ?? _copies[e]));
        }

        private Node Copy(Node node)
        {
            Node[] operands = [.. node.Operands.Select(o => _copies[o])];
            switch (node.Op)
            {
                case ParameterOp p:
                    return _b.Parameter(p.Number, p.Type);
                case WhileOp loop:
                    Node[] carried = [.. operands, _b.Constant(DType.I32, InstrumentedModule.None)];
                    return Inner(node, _b.Add(new WhileOp(Ignoring(loop.Condition), Body(loop.Body, carriesFirst: true)), [.. carried]));
                case IfOp or CaseOp:
                    ImmutableArray<Computation> bodies = [.. node.Op.Computations.Select(c => Body(c, carriesFirst: false))];
                    return Inner(node, _b.Add(node.Op.WithComputations(bodies), [.. operands]));
                default:
                    return _b.Add(node.Op, [.. operands]);
            }
        }

        private Computation Body(Computation body, bool carriesFirst) =>
            new Instrumenting(module, sites, isBody: true).Run(body, carriesFirst);

        // A condition takes all that is carried.
        private Computation Ignoring(Computation condition)
        {
            var b = new GraphBuilder(module.Provenance);
            Node[] parameters = [.. condition.ParameterTypes.Select((type, i) => b.Parameter(i, type))];
            b.Parameter(parameters.Length, TensorType.Scalar(DType.I32));
            (ImmutableArray<Node> results, ImmutableArray<Node> effects) = ComputationCloner.Inline(condition, b, parameters);
            return b.Build(condition.Name, results, effects);
        }

        // What a branch or loop found within. One that had a single result has two now, and its users want the first.
        private Node Inner(Node node, Node copy)
        {
            Note(_b.GetTupleElement(copy, copy.Types.Length - 1));
            _effects.Add(node, copy);
            return node.Types.Length == 1 ? _b.GetTupleElement(copy, 0) : copy;
        }

        private void Check(Node node, Node copy)
        {
            if (copy.Types.Length != 1)
            {
                _codes.Add(copy, Worst(node.Operands)); // its results are compared with what went in
                return;
            }
            if (_codes.ContainsKey(copy))
            {
                return;
            }
            Node? before = node.Op is GetTupleElementOp ? _codes[_copies[node.Operands[0]]] : Worst(node.Operands);
            Node? code = CodeOf(copy);
            _codes.Add(copy, code);
            if (code is null || node.Op is ConstantOp || (node.Op is ParameterOp && isBody))
            {
                return;
            }
            // An infinity may be fed on purpose, as a mask; a NaN hardly.
            bool isInput = node.Op is ParameterOp;
            Node limit = isInput ? _b.Constant(DType.I32, 1) : before ?? _b.Constant(DType.I32, 0);
            string? name = node.Op is ParameterOp p ? module.InputNames[p.Number] : null;
            Note(_b.Select(
                _b.Greater(code, limit), _b.Constant(DType.I32, sites.Count), _b.Constant(DType.I32, InstrumentedModule.None)));
            sites.Add(new NumericsSite(node, name, isBody));
        }

        private void Note(Node number) => _first = _first is null ? number : _b.Minimum(_first, number);

        private Node? Worst(ImmutableArray<Node> operands)
        {
            Node? worst = null;
            foreach (Node operand in operands)
            {
                if (_codes[_copies[operand]] is { } code)
                {
                    worst = worst is null ? code : _b.Maximum(worst, code);
                }
            }
            return worst;
        }

        private Node? CodeOf(Node x)
        {
            if (!x.DType.IsFloating() || (x.Op is ConstantOp constant && constant.Value.IsFinite()))
            {
                return null;
            }
            Node Number(int value) => _b.Splat(DType.I32, x.Shape, value);
            Node codes = _b.Select(_b.NotEqual(x, x), Number(2), _b.Select(_b.IsFinite(x), Number(0), Number(1)));
            // Without elements the maximum is the lowest number.
            return _b.Maximum(x.Rank == 0 ? codes : _b.ReduceMax(codes, null, false), _b.Constant(DType.I32, 0));
        }
    }
}
