using System.Collections.Immutable;

namespace Graphene;

/// <summary>Reverse mode through a loop: a loop over its rounds, last one first.</summary>
/// <remarks>
/// <code>
/// forward     s0 -> body -> s1 -> body -> s2 -> ... -> sT
/// backward    c0 &lt;- vjp(s0) &lt;- c1 &lt;- vjp(s1) &lt;- c2 &lt;- ... &lt;- cT
/// </code>
/// Round t of the backward loop needs the values that round t of the forward loop began with. Only those are kept that the
/// derivative reads, or that are needed to compute such again; what the loop carries unchanged is kept once. <see cref="RecordedStates"/>
/// stores all rounds when their number is known, <see cref="RecomputedStates"/> some of them otherwise. docs/decisions/0011 says why.
/// </remarks>
internal sealed class LoopVjp
{
    private readonly GraphBuilder _b;
    private readonly Node _node;
    private readonly WhileOp _loop;
    private readonly bool[] _carriesCotangent;
    private readonly Computation? _vjp;

    private LoopVjp(VjpSite site, WhileOp loop)
    {
        _b = site.Builder;
        _node = site.Node;
        _loop = loop;
        bool[] reached = LoopJvp.Closure(loop, [.. Enumerable.Range(0, _node.Operands.Length).Select(site.Needs)], _b.Provenance);
        bool[] carries = [.. site.Cotangents.Select((c, i) => c is not null && reached[i])];
        while (true)
        {
            var vjp = new ComputationVjp(loop.Body, carries, reached, _b.Provenance);
            bool[] all = [.. vjp.Found.Select((f, i) => f || carries[i])];
            if (all.SequenceEqual(carries))
            {
                _vjp = carries.Contains(true) ? vjp.Close(carries) : null;
                break;
            }
            carries = all;
        }
        _carriesCotangent = carries;
    }

    /// <summary>The cotangents of a loop's operands.</summary>
    public static Node?[] Build(VjpSite site, WhileOp loop)
    {
        var vjp = new LoopVjp(site, loop);
        if (vjp._vjp is null)
        {
            return new Node?[site.Node.Operands.Length];
        }
        Node[] cotangents = [.. Enumerable.Range(0, site.Node.Operands.Length)
            .Where(i => vjp._carriesCotangent[i])
            .Select(site.Cotangent)];
        var states = new LoopStates(site.Builder, site.Node, loop, vjp._vjp);
        Node[] final = TripCount.Of(loop, site.Node.Operands) is { } count
            ? RecordedStates.Backward(states, count, cotangents)
            : RecomputedStates.Backward(states, cotangents);
        int next = 0;
        return [.. vjp._carriesCotangent.Select(c => c ? final[next++] : null)];
    }
}
