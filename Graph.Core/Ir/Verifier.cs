namespace Graphene;

/// <summary>Checks what every computation must fulfil, whoever made it. What is wrong is a bug of a pass, not of the user.</summary>
/// <remarks>
/// Types are those that inference gives; operands have one result, come from the same builder and are older than their users; equal
/// nodes are one; parameters are numbered and belong to the computation; effects are listed, once; nested computations share no
/// node; a symbol has one pair of bounds and comes from a parameter.
/// </remarks>
public static class Verifier
{
    private const int MostFindings = 10;

    /// <summary>Throws when something is wrong with a module.</summary>
    /// <param name="module">The module.</param>
    /// <param name="where">The pass or stage that made it.</param>
    /// <exception cref="CompilerBugException">The first findings.</exception>
    public static void Verify(Module module, string where)
    {
        IReadOnlyList<string> findings = Check(module);
        if (findings.Count > 0)
        {
            throw new CompilerBugException(where, string.Join("\n  ", findings));
        }
    }

    /// <summary>What is wrong with a module, a sentence each; at most ten.</summary>
    public static IReadOnlyList<string> Check(Module module)
    {
        var verification = new Verification();
        verification.Require(
            module.InputNames.Length == module.Entry.Parameters.Length,
            () => $"{module.InputNames.Length} input names for {module.Entry.Parameters.Length} parameters");
        verification.Require(
            module.OutputNames.Length == module.Entry.Results.Length,
            () => $"{module.OutputNames.Length} output names for {module.Entry.Results.Length} results");
        verification.CheckAll(module.Entry);
        return verification.Findings;
    }

    /// <summary>What is wrong with a computation and those it carries, a sentence each; at most ten.</summary>
    public static IReadOnlyList<string> Check(Computation computation)
    {
        var verification = new Verification();
        verification.CheckAll(computation);
        return verification.Findings;
    }

    private sealed class Verification
    {
        private readonly Dictionary<Node, Computation> _owners = new(ReferenceEqualityComparer.Instance);
        private readonly HashSet<Computation> _done = new(ReferenceEqualityComparer.Instance);
        private readonly Dictionary<string, DimSymbol> _symbols = new(StringComparer.Ordinal);

        public List<string> Findings { get; } = [];

        public void Require(bool condition, Func<string> finding)
        {
            if (!condition && Findings.Count < MostFindings)
            {
                Findings.Add(finding());
            }
        }

        public void CheckAll(Computation entry)
        {
            foreach (DimSymbol symbol in entry.Parameters.SelectMany(p => p.Type.Shape).SelectMany(d => d.Symbols))
            {
                _symbols.TryAdd(symbol.Name, symbol);
            }
            var waiting = new Stack<Computation>([entry]);
            while (waiting.TryPop(out Computation? computation))
            {
                if (!_done.Add(computation))
                {
                    continue;
                }
                CheckParameters(computation);
                CheckNodes(computation);
                CheckEffects(computation);
                foreach (Computation nested in computation.PostOrder().SelectMany(node => node.Op.Computations))
                {
                    waiting.Push(nested);
                }
            }
        }

        private void CheckParameters(Computation computation)
        {
            for (int i = 0; i < computation.Parameters.Length; i++)
            {
                Node parameter = computation.Parameters[i];
                Require(
                    parameter.Op is ParameterOp p && p.Number == i,
                    () => $"{computation.Name}: parameter {i} is {parameter}");
            }
            foreach (Node result in computation.Results)
            {
                Require(result.Types.Length == 1, () => $"{computation.Name}: returns {result}, which is not one value");
            }
        }

        private void CheckNodes(Computation computation)
        {
            var ids = new Dictionary<int, Node>();
            var equals = new HashSet<(Op, string)>();
            foreach (Node node in computation.PostOrder())
            {
                string name = $"{computation.Name}: {node}";
                Require(
                    _owners.TryAdd(node, computation),
                    () => $"{name} stands in {_owners[node].Name} too, but computations capture nothing");
                Require(
                    ids.TryAdd(node.Id, node),
                    () => $"{name} has the number of {ids[node.Id]}: they come from different builders");
                Require(
                    node.Op is not ParameterOp p ||
                    (p.Number < computation.Parameters.Length && ReferenceEquals(computation.Parameters[p.Number], node)),
                    () => $"{name} is not a parameter of its computation");
                Require(
                    node.Op.HasSideEffects || equals.Add((node.Op, string.Join(',', node.Operands.Select(o => o.Id)))),
                    () => $"{name} exists twice with the same operands");
                foreach (Node operand in node.Operands)
                {
                    Require(operand.Id < node.Id, () => $"{name} is older than its operand {operand}");
                    Require(
                        operand.Types.Length == 1 || node.Op is GetTupleElementOp,
                        () => $"{name} uses {operand}, which is not one value");
                }
                CheckTypes(node, name);
                CheckSymbols(node, name);
            }
        }

        private void CheckTypes(Node node, string name)
        {
            if (node.Op is not GetTupleElementOp && node.Operands.Any(o => o.Types.Length != 1))
            {
                return;
            }
            try
            {
                TensorType[] inferred = [.. node.Op.InferTypes(new OpSite(node.Op, node.Operands))];
                Require(
                    inferred.Select(Logical).SequenceEqual(node.Types.Select(Logical)),
                    () => $"{name} should be {string.Join(", ", inferred.Select(Logical))}");
            }
            catch (GraphException e)
            {
                Require(false, () => $"{name} is refused: {e.Message}");
            }
        }

        private void CheckSymbols(Node node, string name)
        {
            foreach (DimSymbol symbol in node.Types.SelectMany(t => t.Shape).SelectMany(d => d.Symbols))
            {
                Require(
                    _symbols.TryGetValue(symbol.Name, out DimSymbol? known),
                    () => $"{name} depends on the symbol {symbol}, which no parameter of the entry has");
                Require(
                    known is null || known == symbol,
                    () => $"{name}: the symbol {symbol} is in {symbol.Min}..{symbol.Max} here, elsewhere in {known!.Min}..{known.Max}");
            }
        }

        private void CheckEffects(Computation computation)
        {
            var listed = new HashSet<Node>(ReferenceEqualityComparer.Instance);
            foreach (Node effect in computation.Effects)
            {
                Require(listed.Add(effect), () => $"{computation.Name}: the effect {effect} is listed twice");
                Require(effect.Op.HasSideEffects, () => $"{computation.Name}: {effect} is listed as an effect and has none");
            }
            foreach (Node node in computation.PostOrder())
            {
                Require(
                    !node.Op.HasSideEffects || listed.Contains(node),
                    () => $"{computation.Name}: {node} has an effect but is not listed, so its order is open");
            }
        }

        // A layout is assigned to a value, not inferred.
        private static TensorType Logical(TensorType type) => type with { Layout = null };
    }
}
