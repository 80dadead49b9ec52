using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Unique, computed at import: how many elements differ decides the shapes of its results.</summary>
internal static class UniqueImport
{
    public static void Import(OperatorCall c)
    {
        Literal x = c.Known(0, "input");
        bool flat = !c.Attributes.Has("axis");
        Shape shape = flat ? [x.ElementCount] : x.Shape;
        int axis = flat ? 0 : c.NormalAxis(c.Int("axis"), x.Type.Rank);
        Literal data = x.Reshape(shape);
        int count = (int)shape[axis].Value;
        Scalar[][] slices = [.. Enumerable.Range(0, count).Select(i => SliceOf(data, axis, i))];

        // Groups of equal slices, each with the places where it occurs.
        var groups = new List<List<int>>();
        for (int i = 0; i < count; i++)
        {
            List<int>? group = groups.Find(g => Compare(slices[g[0]], slices[i]) == 0);
            if (group is null)
            {
                groups.Add([i]);
            }
            else
            {
                group.Add(i);
            }
        }
        if (c.Int("sorted", 1) != 0)
        {
            groups.Sort((g, h) => Compare(slices[g[0]], slices[h[0]]));
        }
        var inverse = new long[count];
        for (int g = 0; g < groups.Count; g++)
        {
            groups[g].ForEach(i => inverse[i] = g);
        }
        long[] firsts = [.. groups.Select(g => (long)g[0])];
        long[] counts = [.. groups.Select(g => (long)g.Count)];
        GraphBuilder b = c.B;
        Node unique = b.Take(b.Constant(data), b.Constant(Literal.From<long>(firsts, firsts.Length)), axis);
        c.Output(0, unique, c.Value(0).Type);
        c.Output(1, OnnxValue.FromLiteral(Literal.From<long>(firsts, firsts.Length), OnnxDataType.Int64));
        c.Output(2, OnnxValue.FromLiteral(Literal.From<long>(inverse, inverse.Length), OnnxDataType.Int64));
        c.Output(3, OnnxValue.FromLiteral(Literal.From<long>(counts, counts.Length), OnnxDataType.Int64));
    }

    private static Scalar[] SliceOf(Literal data, int axis, int place)
    {
        long[] extents = data.Shape.ToStatic();
        extents[axis] = 1;
        var slice = new List<Scalar>();
        foreach (long[] at in IndexSpace.Of(extents))
        {
            at[axis] = place;
            slice.Add(data[at]);
            at[axis] = 0;
        }
        return [.. slice];
    }

    private static int Compare(Scalar[] x, Scalar[] y)
    {
        for (int i = 0; i < x.Length; i++)
        {
            int order = x[i].DType.IsFloating()
                ? x[i].AsDouble.CompareTo(y[i].AsDouble)
                : x[i].AsInteger.CompareTo(y[i].AsInteger);
            if (order != 0)
            {
                return order;
            }
        }
        return 0;
    }
}
