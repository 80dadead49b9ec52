using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Reads tree ensembles from attributes and checks that the nodes form trees.</summary>
internal static class ForestReader
{
    /// <summary>The encoding of TreeEnsembleRegressor and TreeEnsembleClassifier: parallel lists, nodes named by tree and number.</summary>
    /// <param name="c">The call.</param>
    /// <param name="prefix">"target" or "class": how the lists of leaf weights are called.</param>
    /// <param name="targets">The number of results per row.</param>
    public static Forest FromLists(OperatorCall c, string prefix, int targets)
    {
        IReadOnlyList<long> trees = Ints(c, "nodes_treeids");
        int count = trees.Count;
        IReadOnlyList<long> ids = Same(c, Ints(c, "nodes_nodeids"), count);
        IReadOnlyList<long> features = Same(c, Ints(c, "nodes_featureids"), count);
        IReadOnlyList<long> whenTrue = Same(c, Ints(c, "nodes_truenodeids"), count);
        IReadOnlyList<long> whenFalse = Same(c, Ints(c, "nodes_falsenodeids"), count);
        IReadOnlyList<string> modes = Same(c, c.Attributes.Texts("nodes_modes") ?? [], count);
        IReadOnlyList<double> values = Same(c, Numbers(c, "nodes_values"), count);
        IReadOnlyList<long> missing = c.Ints("nodes_missing_value_tracks_true") ?? [];
        var places = new Dictionary<(long, long), int>();
        var roots = new Dictionary<long, int>();
        for (int i = 0; i < count; i++)
        {
            if (!places.TryAdd((trees[i], ids[i]), i))
            {
                throw c.Bad($"{c.Proto.OpType} defines node {ids[i]} of tree {trees[i]} twice", "nodes are named by tree and number");
            }
            roots.TryAdd(trees[i], i);
        }
        var nodes = new TreeNode[count];
        for (int i = 0; i < count; i++)
        {
            BranchMode mode = Mode(c, modes[i]);
            nodes[i] = mode == BranchMode.Leaf
                ? new TreeNode(mode, 0, 0, i, i, false)
                : new TreeNode(
                    mode, Feature(c, features[i]), values[i], Find(c, places, trees[i], whenTrue[i]),
                    Find(c, places, trees[i], whenFalse[i]), missing.Count == count && missing[i] != 0);
        }
        var weights = new double[count * targets];
        IReadOnlyList<long> weightTrees = Ints(c, $"{prefix}_treeids");
        IReadOnlyList<long> weightNodes = Same(c, Ints(c, $"{prefix}_nodeids"), weightTrees.Count);
        IReadOnlyList<long> weightTargets = Same(c, Ints(c, $"{prefix}_ids"), weightTrees.Count);
        IReadOnlyList<double> weightValues = Same(c, Numbers(c, $"{prefix}_weights"), weightTrees.Count);
        for (int i = 0; i < weightTrees.Count; i++)
        {
            if (weightTargets[i] < 0 || weightTargets[i] >= targets)
            {
                throw c.Bad($"{c.Proto.OpType} has a weight for target {weightTargets[i]}", $"there are {targets}");
            }
            weights[(Find(c, places, weightTrees[i], weightNodes[i]) * targets) + weightTargets[i]] += weightValues[i];
        }
        return Finish(c, nodes, [.. roots.Values], targets, weights);
    }

    /// <summary>The encoding of TreeEnsemble: inner nodes and leaves in lists of their own, values as tensors.</summary>
    public static Forest FromTensors(OperatorCall c)
    {
        double[] splits = Tensor(c, "nodes_splits");
        int inner = splits.Length;
        long[] modes = [.. Tensor(c, "nodes_modes").Select(m => (long)m)];
        IReadOnlyList<long> features = Same(c, Ints(c, "nodes_featureids"), inner);
        IReadOnlyList<long> trueIds = Same(c, Ints(c, "nodes_truenodeids"), inner);
        IReadOnlyList<long> falseIds = Same(c, Ints(c, "nodes_falsenodeids"), inner);
        IReadOnlyList<long> trueLeafs = Same(c, Ints(c, "nodes_trueleafs"), inner);
        IReadOnlyList<long> falseLeafs = Same(c, Ints(c, "nodes_falseleafs"), inner);
        IReadOnlyList<long> missing = c.Ints("nodes_missing_value_tracks_true") ?? [];
        double[] leafWeights = Tensor(c, "leaf_weights");
        IReadOnlyList<long> leafTargets = Same(c, Ints(c, "leaf_targetids"), leafWeights.Length);
        Same(c, modes, inner);
        int targets = (int)Math.Clamp(c.Int("n_targets", 1), 1, 1 << 20);
        var nodes = new List<TreeNode>();
        List<double[]> members = Members(c, modes);
        int member = 0;
        for (int i = 0; i < inner; i++)
        {
            bool isMember = modes[i] == 6;
            nodes.Add(new TreeNode(
                isMember ? BranchMode.Equal : ModeOf(c, modes[i]), Feature(c, features[i]), splits[i],
                Next(c, trueIds[i], trueLeafs[i], inner, leafWeights.Length),
                Next(c, falseIds[i], falseLeafs[i], inner, leafWeights.Length), missing.Count == inner && missing[i] != 0));
        }
        for (int leaf = 0; leaf < leafWeights.Length; leaf++)
        {
            nodes.Add(new TreeNode(BranchMode.Leaf, 0, 0, nodes.Count, nodes.Count, false));
        }
        // Membership in a set: one comparison after another, each leading to the next one when it does not hold.
        for (int i = 0; i < inner; i++)
        {
            if (modes[i] == 6)
            {
                Chain(nodes, i, members[member++]);
            }
        }
        var weights = new double[nodes.Count * targets];
        for (int leaf = 0; leaf < leafWeights.Length; leaf++)
        {
            if (leafTargets[leaf] < 0 || leafTargets[leaf] >= targets)
            {
                throw c.Bad($"TreeEnsemble has a leaf for target {leafTargets[leaf]}", $"there are {targets}");
            }
            weights[((inner + leaf) * targets) + leafTargets[leaf]] = leafWeights[leaf];
        }
        int[] roots = [.. Ints(c, "tree_roots").Select(r => r >= 0 && r < Math.Max(inner, 1) ? (int)r : throw c.Bad(
            $"TreeEnsemble has the root {r}", $"there are {inner} nodes"))];
        return Finish(c, [.. nodes], roots, targets, weights);
    }

    private static void Chain(List<TreeNode> nodes, int first, double[] members)
    {
        TreeNode node = nodes[first];
        if (members.Length == 0)
        {
            nodes[first] = node with { Mode = BranchMode.NotEqual, Value = double.NaN, WhenTrue = node.WhenFalse };
            return;
        }
        int otherwise = node.WhenFalse;
        for (int m = members.Length - 1; m >= 1; m--)
        {
            nodes.Add(node with { Value = members[m], WhenFalse = otherwise });
            otherwise = nodes.Count - 1;
        }
        nodes[first] = node with { Value = members[0], WhenFalse = otherwise };
    }

    // The sets of all membership nodes one after another, separated by NaN.
    private static List<double[]> Members(OperatorCall c, long[] modes)
    {
        int sets = modes.Count(m => m == 6);
        var members = new List<double[]>();
        var current = new List<double>();
        foreach (double value in sets == 0 ? [] : Tensor(c, "membership_values"))
        {
            if (double.IsNaN(value))
            {
                members.Add([.. current]);
                current.Clear();
            }
            else
            {
                current.Add(value);
            }
        }
        if (members.Count < sets)
        {
            members.Add([.. current]);
        }
        return members.Count >= sets ? members : throw c.Bad(
            $"TreeEnsemble has {members.Count} sets for {sets} membership nodes", "sets are separated by NaN");
    }

    private static int Next(OperatorCall c, long id, long isLeaf, int inner, int leaves)
    {
        int limit = isLeaf != 0 ? leaves : inner;
        return id >= 0 && id < limit ? (int)id + (isLeaf != 0 ? inner : 0) : throw c.Bad(
            $"TreeEnsemble leads to {(isLeaf != 0 ? "leaf" : "node")} {id}", $"there are {limit}");
    }

    // Steps to the farthest leaf, by levels; a path that is longer than there are nodes runs in a circle.
    private static Forest Finish(OperatorCall c, TreeNode[] nodes, int[] roots, int targets, double[] weights)
    {
        int depth = 0;
        HashSet<int> level = [.. roots.Where(r => nodes[r].Mode != BranchMode.Leaf)];
        while (level.Count > 0)
        {
            if (++depth > nodes.Length)
            {
                throw c.Bad($"{c.Proto.OpType} has a path that runs in a circle", "nodes must form trees");
            }
            level = [.. level.SelectMany(n => (int[])[nodes[n].WhenTrue, nodes[n].WhenFalse])
                .Where(n => nodes[n].Mode != BranchMode.Leaf)];
        }
        return depth <= 4096 ? new Forest(nodes, roots, depth, targets, weights) : throw c.Unsupported(
            $"{c.Proto.OpType} is {depth} levels deep", "trees up to 4096 levels are supported");
    }

    private static int Find(OperatorCall c, Dictionary<(long, long), int> places, long tree, long node) =>
        places.TryGetValue((tree, node), out int place) ? place : throw c.Bad(
            $"{c.Proto.OpType} leads to node {node} of tree {tree}", "there is no such node");

    private static int Feature(OperatorCall c, long feature) => feature is >= 0 and <= int.MaxValue ? (int)feature : throw c.Bad(
        $"{c.Proto.OpType} compares feature {feature}", "features are columns of the input");

    private static BranchMode Mode(OperatorCall c, string mode) => mode switch
    {
        "BRANCH_LEQ" => BranchMode.LessOrEqual,
        "BRANCH_LT" => BranchMode.Less,
        "BRANCH_GTE" => BranchMode.GreaterOrEqual,
        "BRANCH_GT" => BranchMode.Greater,
        "BRANCH_EQ" => BranchMode.Equal,
        "BRANCH_NEQ" => BranchMode.NotEqual,
        "LEAF" => BranchMode.Leaf,
        _ => throw c.Bad($"{c.Proto.OpType} has the mode '{GraphOrder.Shorten(mode)}'", "it is not defined"),
    };

    private static BranchMode ModeOf(OperatorCall c, long mode) => mode is >= 0 and <= 5
        ? (BranchMode)mode
        : throw c.Bad($"TreeEnsemble has the mode {mode}", "modes are 0 to 6");

    private static IReadOnlyList<long> Ints(OperatorCall c, string name) => c.Ints(name) ?? [];

    // Numbers may be floats, or a tensor of doubles.
    private static double[] Numbers(OperatorCall c, string name) => c.Attributes.Floats(name) is { } floats
        ? [.. floats.Select(f => (double)f)]
        : c.Attributes.Tensor($"{name}_as_tensor") is null ? [] : Tensor(c, $"{name}_as_tensor");

    private static double[] Tensor(OperatorCall c, string name)
    {
        if (c.Attributes.Tensor(name) is not { } tensor)
        {
            return [];
        }
        Literal literal = OnnxTypes.ToLiteral(c.Importer.Tensors.Read(tensor, c.Where));
        return [.. Enumerable.Range(0, (int)literal.ElementCount).Select(
            i => literal.DType.IsFloating() ? literal[i].AsDouble : (double)literal[i].AsInteger)];
    }

    private static IReadOnlyList<T> Same<T>(OperatorCall c, IReadOnlyList<T> list, int count) => list.Count == count
        ? list
        : throw c.Bad($"{c.Proto.OpType} has lists of {count} and {list.Count} entries", "its lists must be equally long");
}
